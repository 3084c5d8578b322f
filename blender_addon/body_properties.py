"""``object.pirouette_body``: which file an SMPL body came from, and its shape; ``scene.pirouette_body_file``."""

import bpy
from bpy.props import FloatVectorProperty, IntProperty, PointerProperty, StringProperty

SHAPES = 10


def shape_numbers() -> object:
    """The property of the shape, for bodies and for what makes them."""
    return FloatVectorProperty(
        name="Shape",
        description="How the body differs from the mean one: the first number is mostly its height, the second its "
        "weight; 0 is the mean, 1 and -1 are usual, 3 and -3 are rare",
        size=SHAPES,
        default=(0.0,) * SHAPES,
        min=-10.0,
        max=10.0,
        soft_min=-3.0,
        soft_max=3.0,
    )


class BodyProperties(bpy.types.PropertyGroup):
    """What an armature knows of the file that it was made from."""

    bl_idname = "PIROUETTE_PG_body"

    file: StringProperty(
        name="Body File",
        description="Your own SMPL, SMPL-H or SMPL-X file that the body was made from",
        subtype="FILE_PATH",
    )
    kind: StringProperty(options={"HIDDEN"})
    shapes: IntProperty(options={"HIDDEN"})
    betas: shape_numbers()


CLASSES = (BodyProperties,)


def attach() -> None:
    """Give armatures their body, and scenes the file that was used last."""
    bpy.types.Object.pirouette_body = PointerProperty(name="Pirouette Body", type=BodyProperties)
    bpy.types.Scene.pirouette_body_file = StringProperty(
        name="Body File",
        description="Your own SMPL, SMPL-H or SMPL-X file (.npz or .pkl), from its makers' site",
        subtype="FILE_PATH",
    )


def detach() -> None:
    """Take them away."""
    del bpy.types.Scene.pirouette_body_file
    del bpy.types.Object.pirouette_body
