"""Waypoints: places on the floor that the dance passes, and directions that the dancer faces."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, StringProperty
from mathutils import Vector

from ..core.errors import PirouetteError
from ..scene.armature import find_dancer
from ..scene.locks import add_lock, angle_towards, capture, facing_of, next_name, standing
from .locks import DancerOperator

PLACES = (
    ("CURSOR", "3D Cursor", "Where the 3D cursor is, on the floor below it"),
    ("OBJECT", "Selected Object", "Where the other selected object is, such as an empty, on the floor below it"),
    ("DANCER", "Where the Dancer Is", "Below the dancer's pelvis at this frame"),
    ("FREE", "Anywhere", "No place, only the facing"),
)
FACINGS = (
    ("FREE", "Any Way", "The dancer may face any way"),
    ("DANCER", "As the Dancer Faces", "As the dancer's pelvis faces at this frame"),
    ("CURSOR", "Towards the 3D Cursor", "From the place towards the 3D cursor"),
    ("OBJECT", "As the Object Is Turned", "Along the other selected object's own −Y, as seen from the front"),
)
_TOO_NEAR_M = 0.01


class PIROUETTE_OT_lock_place(DancerOperator, bpy.types.Operator):
    """Lock a place on the floor, or the way that the dancer faces, at this frame: the next dance passes it"""

    bl_idname = "pirouette.lock_place"
    bl_label = "Lock Place"
    bl_options = {"REGISTER", "UNDO"}

    place: EnumProperty(name="Place", description="Which place of the floor the dance passes", items=PLACES)
    facing: EnumProperty(name="Facing", description="Which way the dancer faces there", items=FACINGS)
    title: StringProperty(name="Name", description="What to call it; empty: Place 1, Place 2, …", options={"SKIP_SAVE"})

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        where = {
            "CURSOR": "stands at the 3D cursor",
            "OBJECT": "stands at the selected object",
            "DANCER": "stands where the dancer is now",
            "FREE": "is anywhere",
        }
        way = {
            "FREE": "",
            "DANCER": " and faces as now",
            "CURSOR": " and faces towards the 3D cursor",
            "OBJECT": " and faces as the selected object is turned",
        }
        return f"At this frame, the dancer {where[properties.place]}{way[properties.facing]}"

    def act(self, context: bpy.types.Context, dancer: bpy.types.Object) -> None:
        """A lock of no joints."""
        if self.place == "FREE" and self.facing == "FREE":
            raise PirouetteError("bad_request", "This would lock nothing.", "Choose a place or a facing.")
        pose, pelvis = capture(context, dancer)
        place = self._place(context, dancer, pelvis)
        angle = self._angle(context, dancer, pose, place)
        add_lock(
            context.scene, dancer, standing(angle, place), frame=context.scene.frame_current, joints=(),
            place=self.place != "FREE", heading=self.facing != "FREE",
            name=self.title.strip() or next_name(dancer, "Facing" if self.place == "FREE" else "Place"),
        )  # fmt: skip

    def _place(self, context: bpy.types.Context, dancer: bpy.types.Object, pelvis: object) -> tuple[float, float]:
        if self.place in ("DANCER", "FREE"):
            return float(pelvis[0]), float(pelvis[1])
        world = context.scene.cursor.location if self.place == "CURSOR" else _other(context).matrix_world.translation
        here = dancer.matrix_world.inverted() @ Vector(world)
        return here.x, here.y

    def _angle(
        self, context: bpy.types.Context, dancer: bpy.types.Object, pose: object, place: tuple[float, float]
    ) -> float:
        if self.facing in ("FREE", "DANCER"):
            return facing_of(pose)
        back = dancer.matrix_world.inverted()
        if self.facing == "CURSOR":
            goal = back @ Vector(context.scene.cursor.location)
            way = Vector((goal.x - place[0], goal.y - place[1]))
            reason, hint = "The 3D cursor is at the place itself.", "Put it where the dancer is to look."
        else:
            turned = (back @ _other(context).matrix_world).to_3x3() @ Vector((0.0, -1.0, 0.0))
            way = Vector((turned.x, turned.y))
            reason, hint = "The object's front points straight up or down.", "Turn it so that its −Y lies on the floor."
        if way.length < _TOO_NEAR_M:
            raise PirouetteError("bad_request", reason, hint)
        return angle_towards(way.x, way.y)


def _other(context: bpy.types.Context) -> bpy.types.Object:
    """The selected object that is not the dancer. Raises PirouetteError bad_request."""
    dancer = find_dancer(context)
    others = [
        thing
        for thing in context.view_layer.objects
        if thing.select_get(view_layer=context.view_layer) and thing != dancer and thing.parent != dancer
    ]
    if len(others) != 1:
        what = "No other object is selected" if not others else f"{len(others)} other objects are selected"
        raise PirouetteError("bad_request", f"{what}.", "Select the dancer and one empty, or any other object.")
    return others[0]


CLASSES = (PIROUETTE_OT_lock_place,)
