"""A character as it moves in the scene, written by Blender's exporters; the scene is afterwards as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import addon_utils
import bpy
import numpy as np

from ..core.bvh import SampledBones, bvh_text
from ..core.errors import PirouetteError
from ..core.glb import animation_span_s
from ..core.quaternions import from_matrices, inverse, times
from ..core.rig import Rig
from .armature import is_dancer
from .character import read_rig
from .character_take import character_takes
from .takes import find_take
from .timing import scene_fps

EXTENSIONS = {"FBX": ".fbx", "GLTF": ".glb", "BVH": ".bvh"}
_EXPORTERS = {"FBX": ("io_scene_fbx", "FBX format"), "GLTF": ("io_scene_gltf2", "glTF 2.0 format")}
_MESHES = ("MESH",)
_LOOK_EVERY_FRAMES = 4
_STRETCHED = 0.01


def check_exporter(kind: str) -> None:
    """Raises PirouetteError no_exporter where Blender's own add-on for this format is missing or off."""
    if kind not in _EXPORTERS:
        return
    module, name = _EXPORTERS[kind]
    if not addon_utils.check(module)[1]:
        raise PirouetteError(
            "no_exporter",
            f"Blender's own add-on “{name}” is switched off.",
            "Switch it on in Edit > Preferences > Add-ons.",
        )


def exported_objects(context: bpy.types.Context, character: bpy.types.Object) -> list[bpy.types.Object]:
    """The armature, the meshes that it moves and those that hang from it, as far as they are in the view layer."""
    context.view_layer.update()  # what was just removed is still listed until then
    there = context.view_layer.objects
    if character.name not in there:
        raise PirouetteError(
            "bad_rig", f"“{character.name}” is not in this view layer.", "Switch its collection on in the Outliner."
        )
    hanging = set(character.children_recursive)
    moved = [thing for thing in there if thing.type in _MESHES and (thing in hanging or _moves(character, thing))]
    return [character, *moved]


def _moves(character: bpy.types.Object, thing: bpy.types.Object) -> bool:
    return any(modifier.type == "ARMATURE" and modifier.object == character for modifier in thing.modifiers)


def dance_frames(scene: bpy.types.Scene, character: bpy.types.Object) -> tuple[int, int]:
    """The first and the last frame of the dance that the character shows, else of its animation, else of the scene."""
    animation = character.animation_data
    if is_dancer(character) and (take := find_take(character)) is not None:
        return _whole(take.strip.frame_start, take.strip.frame_end)
    heard = [take.strip for take in character_takes(character) if not take.track.mute and not take.strip.mute]
    if heard:
        return _whole(heard[-1].frame_start, heard[-1].frame_end)
    if animation is not None and animation.action is not None:
        return _whole(*animation.action.frame_range)
    strips = [s for t in animation.nla_tracks if not t.mute for s in t.strips if not s.mute] if animation else []
    if strips:
        return _whole(min(strip.frame_start for strip in strips), max(strip.frame_end for strip in strips))
    return scene.frame_start, scene.frame_end


def _whole(first: float, last: float) -> tuple[int, int]:
    return int(np.ceil(first - 1e-3)), int(np.floor(last + 1e-3))


def is_control_rig(rig: Rig) -> bool:
    """Whether the bones that move the mesh are themselves moved by controls."""
    return any(rig.deform[number] and name in rig.constrained for number, name in enumerate(rig.names))


@dataclass(frozen=True)
class Exported:
    """What was written: which frames of the scene; warning: a sentence, or nothing."""

    first: int
    last: int
    warning: str = ""


def export(context: bpy.types.Context, character: bpy.types.Object, *, kind: str, path: Path) -> Exported:
    """Write the character and its dance to a file.

    kind: FBX, GLTF or BVH. Raises PirouetteError no_exporter, bad_rig, missing_file.
    """
    check_exporter(kind)
    rig = read_rig(character)
    things = exported_objects(context, character)
    first, last = dance_frames(context.scene, character)
    if not path.parent.is_dir():
        raise PirouetteError("missing_file", f"There is no folder {path.parent}.", "Choose another one.")
    write = {"FBX": _write_fbx, "GLTF": _write_gltf, "BVH": _write_bvh}[kind]
    with _alone(context, things, first, last):
        warning = _stretched(context.scene, character, rig) if kind in _EXPORTERS and is_control_rig(rig) else ""
        try:
            write(context, character, rig, path)
        except (RuntimeError, OSError) as error:  # what an exporter reports as an error
            sentence = str(error).strip().splitlines()[-1]
            raise PirouetteError(
                "missing_file", f"{path.name} was not written: {sentence}", "Choose another file or folder."
            ) from error
    return Exported(first, last, warning)


@contextmanager
def _alone(context: bpy.types.Context, things: list[bpy.types.Object], first: int, last: int) -> Iterator[None]:
    """The scene with only these objects selected and only these frames; all of it is put back."""
    scene, layer = context.scene, context.view_layer
    range_before = scene.frame_start, scene.frame_end
    frame, subframe = scene.frame_current, scene.frame_subframe
    rate = scene.render.fps, scene.render.fps_base
    selected = [thing for thing in layer.objects if thing.select_get()]
    active = layer.objects.active
    mode = active.mode if active is not None else "OBJECT"
    hidden = [(thing, thing.hide_get(), thing.hide_viewport, thing.hide_select) for thing in things]
    try:
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for thing in layer.objects:
            thing.select_set(False)
        for thing in things:
            thing.hide_set(False)
            thing.hide_viewport = thing.hide_select = False
            thing.select_set(True)
        layer.objects.active = things[0]
        scene.frame_start, scene.frame_end = first, last
        yield
    finally:
        for thing, hide, hide_viewport, hide_select in hidden:
            thing.hide_viewport, thing.hide_select = hide_viewport, hide_select
            thing.hide_set(hide)
        for thing in layer.objects:
            thing.select_set(thing in selected)
        layer.objects.active = active
        if active is not None and mode != active.mode:
            bpy.ops.object.mode_set(mode=mode)
        scene.render.fps, scene.render.fps_base = rate
        scene.frame_start, scene.frame_end = range_before
        scene.frame_set(frame, subframe=subframe)


def _stretched(scene: bpy.types.Scene, character: bpy.types.Object, rig: Rig) -> str:
    """What to say where controls stretch the bones that move the mesh: these formats keep no such thing exactly."""
    names = [name for number, name in enumerate(rig.names) if rig.deform[number]]
    most, worst = 0.0, ""
    for frame in range(scene.frame_start, scene.frame_end + 1, _LOOK_EVERY_FRAMES):
        scene.frame_set(frame)
        for name in names:
            stretch = max(abs(scale - 1.0) for scale in character.pose.bones[name].matrix.to_scale())
            if stretch > most:
                most, worst = stretch, name
    if most < _STRETCHED:
        return ""
    return (
        f"“{worst}” is stretched by up to {100.0 * most:.0f} %, which this format cannot keep exactly. "
        "Dance by the rig's FK controls instead."
    )


def _write_fbx(context: bpy.types.Context, character: bpy.types.Object, rig: Rig, path: Path) -> None:
    """Every frame of the range as one clip; frame numbers stay as they are in the scene."""
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        check_existing=False,
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        use_armature_deform_only=is_control_rig(rig),
        add_leaf_bones=False,
        apply_scale_options="FBX_SCALE_UNITS",
        bake_anim=True,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_force_startend_keying=True,
        bake_anim_step=1.0,
        bake_anim_simplify_factor=0.0,
        mesh_smooth_type="FACE",
    )


def _write_gltf(context: bpy.types.Context, character: bpy.types.Object, rig: Rig, path: Path) -> None:
    """Every frame of the range as one clip that begins at 0 s.

    Blenders of today reckon a frame's time with fps * fps_base where fps / fps_base is meant: at 23.976 that is 0.2 %
    wrong. The clip's length in the file tells whether this one does; if so it is written with the rate that comes out.
    """
    scene = context.scene
    fps, base = scene.render.fps, scene.render.fps_base
    wanted_s = (scene.frame_end - scene.frame_start) / scene_fps(scene)

    def write() -> float:
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            check_existing=False,
            export_format="GLB",
            use_selection=True,
            export_animations=True,
            export_animation_mode="SCENE",
            export_anim_scene_split_object=False,
            export_force_sampling=True,
            export_frame_step=1,
            export_anim_slide_to_zero=True,
            export_optimize_animation_size=False,
            export_def_bones=is_control_rig(rig),
            export_rest_position_armature=True,
        )
        start_s, end_s = animation_span_s(path)
        return abs(end_s - start_s - wanted_s)

    wrong_s = write()
    if wrong_s > 1e-4 and base != 1.0:
        scene.render.fps, scene.render.fps_base = fps, 1.0 / base
        write()


def _write_bvh(context: bpy.types.Context, character: bpy.types.Object, rig: Rig, path: Path) -> None:
    path.write_text(bvh_text(sampled_bones(context.scene, character, rig)), encoding="utf-8", newline="\n")


def sampled_bones(scene: bpy.types.Scene, character: bpy.types.Object, rig: Rig) -> SampledBones:
    """The character's bones as they are seen in the scene's range; of a control rig those that move the mesh."""
    chosen, parents = _bones_for_bvh(rig)
    names = [rig.names[number] for number in chosen]
    frames = range(scene.frame_start, scene.frame_end + 1)
    matrices = np.empty((len(chosen), len(frames), 4, 4))
    worlds = np.empty((len(frames), 4, 4))
    for index, frame in enumerate(frames):
        scene.frame_set(frame)
        worlds[index] = character.matrix_world
        bones = character.pose.bones
        for place, name in enumerate(names):
            matrices[place, index] = bones[name].matrix
    matrices = worlds @ matrices
    still = worlds[0]  # how the character rests: as its object stands when the dance begins
    rest = still @ np.asarray(rig.rest)[chosen]
    turns = times(from_matrices(_turns(matrices)), inverse(from_matrices(_turns(rest)))[:, None])
    heads, tails = (np.asarray(ends)[chosen] @ still[:3, :3].T + still[:3, 3] for ends in (rig.heads, rig.tails))
    return SampledBones(tuple(names), parents, heads, tails, turns, matrices[..., :3, 3], scene_fps(scene))


def _turns(matrices: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) of matrices (..., 4, 4) with scale."""
    columns = matrices[..., :3, :3]
    return columns / np.linalg.norm(columns, axis=-2, keepdims=True)


def _bones_for_bvh(rig: Rig) -> tuple[list[int], np.ndarray]:
    """The bones to write, and the place of each one's parent among them; the root first."""
    wanted = rig.deform if is_control_rig(rig) else np.ones(len(rig.names), dtype=bool)
    chosen = [number for number in range(len(rig.names)) if wanted[number]]
    above = {number: _parent_in(rig, number, chosen) for number in chosen}
    counts = Counter(_top(above, number) for number in chosen)
    root = counts.most_common(1)[0][0]
    above |= {top: root for top in counts if top != root}
    order = [root]
    for number in order:
        order.extend(child for child in chosen if above[child] == number)
    return order, np.array([order.index(above[number]) if above[number] >= 0 else -1 for number in order])


def _top(above: dict[int, int], number: int) -> int:
    while above[number] >= 0:
        number = above[number]
    return number


def _parent_in(rig: Rig, number: int, chosen: list[int]) -> int:
    """The nearest bone above that is written, or that one of those written before it lies upon; -1 for none."""
    before = [other for other in chosen if other < number]
    above = int(rig.parents[number])
    while above >= 0:
        if above in before:
            return above
        for other in before:
            same = np.allclose(rig.heads[other], rig.heads[above], atol=1e-5)
            if same and np.allclose(rig.tails[other], rig.tails[above], atol=1e-5):
                return other
        above = int(rig.parents[above])
    return -1
