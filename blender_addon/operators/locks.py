"""Lock poses: what the armature does now, the poses of an Action, go to one, put it back, update, delete."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..core.errors import PirouetteError
from ..core.key_poses import ARMS, LEGS, WHOLE_BODY
from ..core.session import SESSION
from ..core.skeleton import JOINT_NAMES
from ..direction_properties import LOCKED_PARTS
from ..scene.armature import create_dancer, find_dancer
from ..scene.locks import (
    add_lock,
    capture,
    fill_lock,
    frame_of,
    hold_frames,
    mark_lock,
    next_name,
    put_pose,
    remove_lock,
)
from ..scene.mannequin import add_mannequin
from ..scene.posing import poses_of_action

_PARTS = {"BODY": WHOLE_BODY, "ARMS": ARMS, "LEGS": LEGS, "NONE": ()}


def selected_joints(dancer: bpy.types.Object) -> tuple[int, ...]:
    """The numbers of the dancer's selected bones. Raises PirouetteError bad_request when there are none."""
    found = []
    for joint, name in enumerate(JOINT_NAMES):
        bone = dancer.pose.bones[name]
        if bone.select if hasattr(bone, "select") else bone.bone.select:
            found.append(joint)
    if not found:
        raise PirouetteError(
            "bad_request", "No bone of the dancer is selected.", "Select bones in Pose Mode, or lock the whole body."
        )
    return tuple(found)


def chosen_joints(dancer: bpy.types.Object, part: str) -> tuple[int, ...]:
    """The joints of a part of the body, a key of LOCKED_PARTS. Raises PirouetteError."""
    return selected_joints(dancer) if part == "SELECTED" else _PARTS[part]


class DancerOperator:
    """An operator on the dancer that needs no backend and is done at once."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only on a dancer, while nothing is being made."""
        if SESSION.busy:
            cls.poll_message_set("Something is being made.")
            return False
        if find_dancer(context) is None:
            cls.poll_message_set("There is no dancer. Add one, or generate a dance.")
            return False
        return True

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """The work. Raises PirouetteError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it."""
        dancer = find_dancer(context)
        hold_frames(context.scene, dancer)
        try:
            self.act(context, dancer)
        except PirouetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class LockOperator(DancerOperator):
    """An operator on one lock of the list."""

    lock: IntProperty(
        name="Lock", description="Which one, counted from 1; 0: the one that is selected", default=0, min=0,
        options={"SKIP_SAVE", "HIDDEN"},
    )  # fmt: skip

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when there is a lock."""
        if not super().poll(context):
            return False
        if not find_dancer(context).pirouette.locks:
            cls.poll_message_set("No pose is locked yet.")
            return False
        return True

    def chosen(self, dancer: bpy.types.Object) -> int:
        """The lock's number from 0. Raises PirouetteError."""
        index = self.lock - 1 if self.lock else dancer.pirouette.active_lock
        if not 0 <= index < len(dancer.pirouette.locks):
            raise PirouetteError("bad_range", f"There is no lock {index + 1}.")
        return index


class PIROUETTE_OT_lock_pose(DancerOperator, bpy.types.Operator):
    """Lock what the dancer does at this frame: the next dance passes exactly through this pose at this moment"""

    bl_idname = "pirouette.lock_pose"
    bl_label = "Lock Pose"
    bl_options = {"REGISTER", "UNDO"}

    part: EnumProperty(name="Lock", description="Which part of the pose is locked", items=LOCKED_PARTS)
    place: BoolProperty(
        name="Place", description="The dancer stands at this place of the floor; off: the pose may be struck anywhere"
    )
    heading: BoolProperty(name="Facing", description="The dancer faces this way; off: any way")
    title: StringProperty(name="Name", description="What to call it; empty: Pose 1, Pose 2, …", options={"SKIP_SAVE"})

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Read the armature as it is."""
        joints = chosen_joints(dancer, self.part)
        if not (joints or self.place or self.heading):
            raise PirouetteError(
                "bad_request", "This would lock nothing.", "Choose a part of the body, the place or the facing."
            )
        scene = context.scene
        add_lock(
            scene, dancer, capture(context, dancer), frame=scene.frame_current, joints=joints, place=self.place,
            heading=self.heading, name=self.title.strip() or next_name(dancer, "Pose" if joints else "Place"),
        )  # fmt: skip


def _actions(owner: Any, context: bpy.types.Context, text: str) -> list[str]:
    return [action.name for action in bpy.data.actions if text.lower() in action.name.lower()]


class PIROUETTE_OT_locks_from_action(DancerOperator, bpy.types.Operator):
    """Lock the poses of an Action, one for each frame that it has keys on: the next dance passes through all of them"""

    bl_idname = "pirouette.locks_from_action"
    bl_label = "Lock Poses from Action"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(
        name="Action", description="Whose poses are locked", search=_actions, search_options={"SORT"},
        options={"SKIP_SAVE"},
    )  # fmt: skip
    at: EnumProperty(
        name="When",
        description="At which frames the poses are locked",
        items=(
            ("SAME", "At Its Own Frames", "Each pose at the frame that it is keyed at"),
            (
                "PLAYHEAD",
                "From Here On",
                "The first pose at the current frame, the others as far behind as in the Action",
            ),
        ),
        options={"SKIP_SAVE"},
    )
    part: EnumProperty(name="Lock", description="Which part of the poses is locked", items=LOCKED_PARTS)
    place: BoolProperty(name="Place", description="Lock where the dancer stands in each pose, too")
    heading: BoolProperty(name="Facing", description="Lock which way the dancer faces in each pose, too")
    most: IntProperty(
        name="At Most", description="An Action with more keyed frames than this is refused: it has no key poses",
        default=40, min=1, max=1000, options={"SKIP_SAVE"},
    )  # fmt: skip

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask for the Action."""
        return context.window_manager.invoke_props_dialog(self, title="Lock Poses from Action", confirm_text="Lock")

    def draw(self, context: bpy.types.Context) -> None:
        """The choices."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "action", icon="ACTION")
        layout.prop(self, "at")
        layout.prop(self, "part")
        layout.prop(self, "place")
        layout.prop(self, "heading")

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Evaluate the Action on a stand-in and lock what it does."""
        action = bpy.data.actions.get(self.action)
        if action is None:
            raise PirouetteError("bad_request", f"There is no Action “{self.action}”.", "Choose one of the list.")
        joints = chosen_joints(dancer, self.part)
        if not (joints or self.place or self.heading):
            raise PirouetteError("bad_request", "This would lock nothing.", "Choose a part of the body.")
        found = poses_of_action(context, dancer, action, most=self.most)
        shift = context.scene.frame_current - found[0][0] if self.at == "PLAYHEAD" else 0
        for frame, captured in found:
            add_lock(
                context.scene, dancer, captured, frame=frame + shift, joints=joints, place=self.place,
                heading=self.heading, name=next_name(dancer, action.name),
            )  # fmt: skip


class PIROUETTE_OT_lock_go_to(LockOperator, bpy.types.Operator):
    """Go to the frame of this lock"""

    bl_idname = "pirouette.lock_go_to"
    bl_label = "Go To"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Move the playhead and select it in the list."""
        index = self.chosen(dancer)
        dancer.pirouette.active_lock = index
        context.scene.frame_set(frame_of(context.scene, dancer.pirouette.locks[index]))


class PIROUETTE_OT_lock_show(LockOperator, bpy.types.Operator):
    """Go to this lock and put its pose on the dancer, without keys, so that you can adjust it and press Update"""

    bl_idname = "pirouette.lock_show"
    bl_label = "Pose the Dancer"
    bl_options = {"UNDO"}

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Write the pose into the bones."""
        index = self.chosen(dancer)
        item = dancer.pirouette.locks[index]
        dancer.pirouette.active_lock = index
        context.scene.frame_set(frame_of(context.scene, item))
        put_pose(dancer, item)
        context.view_layer.update()


class PIROUETTE_OT_lock_update(LockOperator, bpy.types.Operator):
    """Lock what the dancer does now in place of the pose that is kept here; its time and what it locks stay"""

    bl_idname = "pirouette.lock_update"
    bl_label = "Update"
    bl_options = {"REGISTER", "UNDO"}

    part: EnumProperty(
        name="Lock",
        description="Which part of the pose is locked from now on",
        items=(("KEEP", "The Same", "The same part of the body as before"), *LOCKED_PARTS),
        options={"SKIP_SAVE"},
    )
    here: BoolProperty(
        name="Move Here", description="Let the lock be at the current frame from now on", options={"SKIP_SAVE"}
    )

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Read the armature anew."""
        item = dancer.pirouette.locks[self.chosen(dancer)]
        kept = tuple(joint for joint, locked in enumerate(item.joints) if locked)
        joints = kept if self.part == "KEEP" else chosen_joints(dancer, self.part)
        if not (joints or item.place or item.heading):
            raise PirouetteError("bad_request", "This would lock nothing.", "Choose a part of the body.")
        fill_lock(item, capture(context, dancer), joints=joints)
        if self.here:
            item.frame = context.scene.frame_current
        mark_lock(context.scene, item)


class PIROUETTE_OT_lock_delete(LockOperator, bpy.types.Operator):
    """Forget this lock; the dance that there is stays as it is"""

    bl_idname = "pirouette.lock_delete"
    bl_label = "Delete Lock"
    bl_options = {"UNDO"}

    every: BoolProperty(name="All", description="Forget all locks of this dancer", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        which = "all locks of this dancer" if properties.every else "this lock"
        return f"Forget {which}; the dance that there is stays as it is"

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """Take it out of the list."""
        chosen = range(len(dancer.pirouette.locks)) if self.every else (self.chosen(dancer),)
        for index in reversed(chosen):
            remove_lock(context.scene, dancer, index)


class PIROUETTE_OT_new_dancer(bpy.types.Operator):
    """Add a dancer in a T-pose, to pose it and lock poses before there is a dance"""

    bl_idname = "pirouette.new_dancer"
    bl_label = "Add a Dancer"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Not while something is being made, nor in a scene of another file."""
        if SESSION.busy or context.scene.library is not None:
            cls.poll_message_set("Something is being made, or the scene is linked from another file.")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """The armature and its mannequin."""
        dancer = create_dancer(context)
        add_mannequin(context, dancer)
        context.scene.pirouette.dancer = dancer
        return {"FINISHED"}


CLASSES = (
    PIROUETTE_OT_lock_pose,
    PIROUETTE_OT_locks_from_action,
    PIROUETTE_OT_lock_go_to,
    PIROUETTE_OT_lock_show,
    PIROUETTE_OT_lock_update,
    PIROUETTE_OT_lock_delete,
    PIROUETTE_OT_new_dancer,
)
