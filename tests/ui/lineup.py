"""Characters in a row for a picture: bodies for bare bones, names at their feet, a floor, a camera, the pictures."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector

from tests.demo.stage import BACKGROUND, read_pixels, save_pixels

APART_M = 1.7  # two tiles
COLOURS = (
    (0.80, 0.79, 0.76), (0.45, 0.66, 0.86), (0.88, 0.62, 0.42), (0.58, 0.76, 0.50), (0.78, 0.56, 0.74),
    (0.84, 0.77, 0.42), (0.50, 0.74, 0.74),
)  # fmt: skip
HEIGHT_PX, PX_A_METRE = 340, 128
_TILE_M = 0.85
_BELOW_M = 0.42  # of the floor under the feet that is seen
_CAMERA_M, _NAMES_M = 8.0, 1.5  # before the row
_PITCH_DEG = 14.0
_WIDE, _SHORT = 0.19, 0.14  # of a bone: how thick its body is, and where it is thickest


def bone_body(character: bpy.types.Object, bones: Sequence[str]) -> bpy.types.Object:
    """A mesh of a slim double pyramid for each bone, skinned to it: what bare bones look like in a render."""
    points: list[Vector] = []
    faces: list[tuple[int, ...]] = []
    for name in bones:
        bone, first = character.data.bones[name], len(points)
        wide = _WIDE * bone.length
        ring = [(wide, _SHORT, 0), (0, _SHORT, wide), (-wide, _SHORT, 0), (0, _SHORT, -wide)]
        local = [(0, 0, 0), (0, bone.length, 0), *((x, y * bone.length, z) for x, y, z in ring)]
        points += [bone.matrix_local @ Vector(point) for point in local]
        for corner in range(4):
            a, b = first + 2 + corner, first + 2 + (corner + 1) % 4
            faces += [(first, a, b), (first + 1, b, a)]
    mesh = bpy.data.meshes.new(f"{character.name} Bones")
    mesh.from_pydata(points, [], faces)
    body = bpy.data.objects.new(mesh.name, mesh)
    bpy.context.scene.collection.objects.link(body)
    body.parent = character
    for number, name in enumerate(bones):
        body.vertex_groups.new(name=name).add(range(6 * number, 6 * number + 6), 1.0, "REPLACE")
    body.modifiers.new("Armature", "ARMATURE").object = character
    return body


def meshes_of(character: bpy.types.Object) -> list[bpy.types.Object]:
    """What is skinned to a character."""
    return [thing for thing in bpy.context.scene.objects if thing.type == "MESH" and thing.find_armature() == character]


def stand_in_row(characters: Sequence[bpy.types.Object]) -> None:
    """One beside the other along X, each in a colour of its own."""
    for place, character in enumerate(characters):
        top = character
        while top.parent is not None:
            top = top.parent
        top.matrix_world = Matrix.Translation((_place_m(place, len(characters)), 0.0, 0.0)) @ top.matrix_world
        for thing in meshes_of(character):
            thing.color = (*COLOURS[place % len(COLOURS)], 1.0)
    bpy.context.view_layer.update()


def _place_m(place: int, count: int) -> float:
    return (place - (count - 1) / 2) * APART_M


def write_names(names: Sequence[str]) -> list[bpy.types.Object]:
    """Names under the row, which follow the camera."""
    found = []
    for place, name in enumerate(names):
        text = bpy.data.objects.new(f"Name {name}", bpy.data.curves.new(f"Name {name}", "FONT"))
        text.data.body, text.data.align_x, text.data.size = name, "CENTER", 0.15
        text.color = (0.93, 0.93, 0.93, 1.0)
        text["place_m"] = _place_m(place, len(names))
        bpy.context.scene.collection.objects.link(text)
        found.append(text)
    return found


def dress() -> None:
    """A floor of squares on which a sliding foot shows, soft shadows, colours by object."""
    scene = bpy.context.scene
    scene.render.engine = "BLENDER_WORKBENCH"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "OBJECT"
    shading.show_shadows, shading.show_cavity = True, True
    shading.shadow_intensity = 0.4
    scene.display.light_direction = (-0.3, 0.5, 0.8)
    scene.display.render_aa = "8"
    scene.world = bpy.data.worlds.new("Row World")
    scene.world.color = BACKGROUND
    scene.view_settings.view_transform = "Standard"
    for shade in (0.22, 0.30):
        _floor(shade)


def _floor(shade: float) -> None:
    """Half of the squares of a chequered floor."""
    odd, reach = shade > 0.25, 30
    corners: list[tuple[float, float, float]] = []
    faces = []
    for x in range(-reach, reach):
        for y in range(-reach, reach):
            if (x + y) % 2 == odd:
                first = len(corners)
                square = ((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1))
                corners += [(a * _TILE_M, b * _TILE_M, -0.001) for a, b in square]
                faces.append(tuple(range(first, first + 4)))
    mesh = bpy.data.meshes.new("Row Floor")
    mesh.from_pydata(corners, [], faces)
    floor = bpy.data.objects.new("Row Floor", mesh)
    floor.color = (shade, shade, shade * 1.06, 1.0)
    bpy.context.scene.collection.objects.link(floor)


def picture_of(frames: Sequence[int], dancer: bpy.types.Object, names: Sequence[bpy.types.Object], path: Path) -> None:
    """The row at some frames, one below the other, as one picture."""
    scene, render = bpy.context.scene, bpy.context.scene.render
    width_m = APART_M * len(names)
    render.resolution_x, render.resolution_y = round(width_m * PX_A_METRE), HEIGHT_PX
    render.resolution_percentage = 100
    render.use_sequencer = False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"
    camera = _camera(width_m)
    home = dancer.matrix_world.translation.x
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for frame in frames:
            scene.frame_set(frame)
            at = dancer.matrix_world @ dancer.pose.bones["Pelvis"].head
            _follow(camera, names, x=at.x - home, y=at.y)
            render.filepath = str(Path(folder) / f"{frame:06d}.png")
            bpy.ops.render.render(write_still=True)
            rows.append(read_pixels(Path(render.filepath)))
    save_pixels(np.concatenate(rows[::-1], axis=0), path)  # Blender's pixels start at the lower left


def _camera(width_m: float) -> bpy.types.Object:
    data = bpy.data.cameras.new("Row Camera")
    data.type, data.ortho_scale = "ORTHO", width_m
    camera = bpy.data.objects.new("Row Camera", data)
    camera.rotation_euler = (math.radians(90.0 - _PITCH_DEG), 0.0, 0.0)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    return camera


def _follow(camera: bpy.types.Object, names: Sequence[bpy.types.Object], *, x: float, y: float) -> None:
    """The camera before the row's middle, the names before their feet."""
    middle_m = 0.5 * HEIGHT_PX / PX_A_METRE - _BELOW_M
    camera.location = (x, y - _CAMERA_M, middle_m + _CAMERA_M * math.tan(math.radians(_PITCH_DEG)))
    for name in names:
        name.location = (x + name["place_m"], y - _NAMES_M, 0.02)
        name.rotation_euler = camera.rotation_euler
