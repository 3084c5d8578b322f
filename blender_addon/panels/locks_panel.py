"""Key poses: lock what the armature does, and the list of what is locked."""

import bpy

from ..core.key_poses import what_is_locked
from ..scene.armature import find_dancer
from ..scene.locks import frame_of
from .dance import SidebarPanel, is_wide

_ROWS = 4


def in_words(item) -> str:
    """What an item of the list locks."""
    joints = [joint for joint, locked in enumerate(item.joints) if locked]
    return what_is_locked(joints, place=item.place, heading=item.heading)


class PIROUETTE_UL_locks(bpy.types.UIList):
    """Use, name, what is locked and frame of each lock, in the order of time."""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0) -> None:
        """One line for a lock."""
        row = layout.row(align=True)
        row.prop(item, "enabled", text="")
        line = row.row(align=True)
        line.active = item.enabled
        wide = is_wide(context)
        split = line.split(factor=0.36 if wide else 0.7)
        split.prop(item, "name", text="", emboss=False)
        if wide:
            split = split.split(factor=0.7)
            words = split.row(align=True)
            words.active = False
            words.label(text=in_words(item))
        number = split.row(align=True)
        number.alignment = "RIGHT"
        number.label(text=str(frame_of(context.scene, item)))

    def filter_items(self, context, data, property_name) -> tuple[list[int], list[int]]:
        """All of them, by their time."""
        items = getattr(data, property_name)
        order = sorted(range(len(items)), key=lambda index: (frame_of(context.scene, items[index]), index))
        places = [0] * len(items)
        for place, index in enumerate(order):
            places[index] = place
        return [], places


class PIROUETTE_PT_locks(SidebarPanel, bpy.types.Panel):
    """Poses and places that the dance passes through."""

    bl_label = "Key Poses"

    def draw(self, context: bpy.types.Context) -> None:
        """Lock, the list, the selected lock."""
        layout, dancer = self.layout, find_dancer(context)
        if dancer is None:
            layout.operator("pirouette.new_dancer", icon="ARMATURE_DATA")
            return
        _draw_buttons(layout, context)
        shown = dancer.pirouette
        if not shown.locks:
            return
        row = layout.row()
        row.template_list("PIROUETTE_UL_locks", "", shown, "locks", shown, "active_lock", rows=_ROWS)
        side = row.column(align=True)
        side.operator("pirouette.lock_go_to", text="", icon="TIME")
        side.operator("pirouette.lock_show", text="", icon="POSE_HLT")
        side.separator()
        side.operator("pirouette.lock_delete", text="", icon="REMOVE").every = False
        side.operator("pirouette.lock_delete", text="", icon="TRASH").every = True
        if 0 <= shown.active_lock < len(shown.locks):
            _draw_selected(layout, shown.locks[shown.active_lock])
        layout.prop(context.scene.pirouette, "show_locks")


def _draw_buttons(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    settings = context.scene.pirouette
    column = layout.column(align=True)
    column.prop(settings, "lock_part", text="")
    row = column.row(align=True)
    row.prop(settings, "lock_place", toggle=True)
    row.prop(settings, "lock_heading", toggle=True)
    row = column.row(align=True)
    row.scale_y = 1.3
    button = row.operator("pirouette.lock_pose", icon="LOCKED")
    button.part, button.place, button.heading = settings.lock_part, settings.lock_place, settings.lock_heading
    row = layout.row(align=True)
    row.menu("PIROUETTE_MT_waypoints", text="Waypoint", icon="EMPTY_SINGLE_ARROW")
    row.operator("pirouette.locks_from_action", text="From Action", icon="ACTION")


def _draw_selected(layout: bpy.types.UILayout, item) -> None:
    line = layout.row()
    line.active = False
    line.label(text=f"Locked: {in_words(item).lower()}")
    column = layout.column(align=True)
    column.prop(item, "frame")
    row = column.row(align=True)
    row.prop(item, "place", toggle=True)
    row.prop(item, "heading", toggle=True)
    row = column.row(align=True)
    row.operator("pirouette.lock_show", text="Pose Dancer", icon="POSE_HLT")
    row.operator("pirouette.lock_update", icon="FILE_REFRESH")


class PIROUETTE_MT_waypoints(bpy.types.Menu):
    """Lock a place on the floor or the way that the dancer faces, at the current frame"""

    bl_label = "Waypoint"
    bl_description = "Lock a place on the floor or the way that the dancer faces, at the current frame"

    def draw(self, context: bpy.types.Context) -> None:
        """Places, then facings."""
        layout = self.layout
        for place, facing, text, icon in (
            ("CURSOR", "FREE", "Be at the 3D Cursor", "PIVOT_CURSOR"),
            ("OBJECT", "FREE", "Be at the Selected Object", "EMPTY_AXIS"),
            ("DANCER", "FREE", "Be Where the Dancer Is Now", "ARMATURE_DATA"),
            ("OBJECT", "OBJECT", "Be at the Object and Face Its Front", "EMPTY_SINGLE_ARROW"),
            ("DANCER", "DANCER", "Be Where the Dancer Is Now, Facing the Same Way", "ARMATURE_DATA"),
            ("FREE", "CURSOR", "Face the 3D Cursor", "PIVOT_CURSOR"),
            ("FREE", "OBJECT", "Face as the Selected Object Is Turned", "EMPTY_SINGLE_ARROW"),
            ("FREE", "DANCER", "Face as the Dancer Does Now", "ARMATURE_DATA"),
        ):
            button = layout.operator("pirouette.lock_place", text=text, icon=icon)
            button.place, button.facing = place, facing
            if (place, facing) == ("DANCER", "DANCER"):
                layout.separator()


CLASSES = (PIROUETTE_UL_locks, PIROUETTE_MT_waypoints, PIROUETTE_PT_locks)
