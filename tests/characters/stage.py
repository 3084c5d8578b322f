"""A stage for measuring: the installed add-on, a dancer with a real dance, characters of every kind."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from build_addon import build_zip
from tests.addon.installed import MODULE, document_of, part
from tests.characters.armatures import active_kept, armature_of
from tests.characters.judging import Seen
from tests.core.made_up_characters import FEET
from tests.core.made_up_rigs import Build, made_up_rig

FPS = 30
_MESH_STEP_FRAMES = 10
FEWEST_BONES = 12  # an armature with fewer is a prop
METARIGS = {"rigify human": "armature_human_metarig_add", "rigify basic": "armature_basic_human_metarig_add"}
BUILDS = {
    "A-pose 30": Build(spine=1, a_pose_deg=30.0),
    "A-pose 45": Build(spine=2, a_pose_deg=45.0, root=True),
    "A-pose 60": Build(spine=3, a_pose_deg=60.0, extras=True),
    "T-pose, spine 4": Build(spine=4, neck=2, twists=1),
    "spine 5, leaf twists": Build(spine=5, a_pose_deg=45.0, leaf_twists=True, root=True),
    "spine 6": Build(spine=6, neck=2, a_pose_deg=40.0, extras=True),
    "scale 0.01, lying": Build(a_pose_deg=45.0, scale=0.01, lying=True, root=True),
    "scale 100": Build(a_pose_deg=30.0, scale=100.0),
    "turned 90": Build(a_pose_deg=50.0, turned_deg=90.0),
    "other proportions": Build(a_pose_deg=35.0, build=0.25, twists=2),
}


@dataclass(frozen=True, eq=False)
class Dance:
    """A real dance at FPS. poses: (T, 24, 3); pelvis: (T, 3); joints: (T, 24, 3); contacts: (T, 4)."""

    name: str
    poses: np.ndarray
    pelvis: np.ndarray
    joints: np.ndarray
    contacts: np.ndarray


@dataclass(frozen=True, eq=False)
class Cast:
    """A character of the scene. truth: joint to the bone that turns it, where it is known."""

    name: str
    character: bpy.types.Object
    truth: dict[int, str]


def install() -> None:
    """The add-on from its zip, as an animator has it."""
    with tempfile.TemporaryDirectory() as folder:
        archive = build_zip(Path(folder))
        bpy.context.preferences.system.use_online_access = True  # Blender asks for it even for a local file
        bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True)


def read_dance(path: Path, *, frames: int) -> Dance:
    """The beginning of a dance at 30 frames a second; its feet stand where they are low and slow."""
    forward_kinematics = part("core.skeleton").forward_kinematics
    with np.load(path, allow_pickle=False) as stored:
        poses, pelvis = (stored[key][:frames].astype(np.float64) for key in ("poses", "pelvis"))
        told = stored["contacts"][:frames].astype(bool) if "contacts" in stored else None
        if float(stored["fps"]) != FPS:
            raise ValueError(f"{path} has {float(stored['fps']):g} frames a second; {FPS} are expected")
    joints = forward_kinematics(poses, pelvis)
    if told is None:
        feet = joints[:, list(FEET)]
        speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * FPS
        heights = feet[..., 2] - np.percentile(feet[..., 2], 10, axis=0)
        told = (speed < 0.3) & (heights < 0.05)
    return Dance(path.stem, poses, pelvis, joints, told)


def new_scene(dance: Dance) -> bpy.types.Object:
    """An empty file with the dancer alone, which dances from frame 1 on."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    if MODULE not in bpy.context.preferences.addons:
        bpy.context.preferences.system.use_online_access = True
        bpy.ops.preferences.addon_enable(module=MODULE)
    scene, frames = bpy.context.scene, len(dance.poses)
    scene.render.fps, scene.render.fps_base = FPS, 1.0
    scene.frame_start, scene.frame_end = 1, frames
    return dancer_of(dance)


def dancer_of(dance: Dance) -> bpy.types.Object:
    """A dancer with this dance as its take."""
    dancer = part("scene.armature").create_dancer(bpy.context)
    placement = part("core.dance").Placement(1, len(dance.poses), float(FPS))
    poses, pelvis = dance.poses.astype(np.float32), dance.pelvis.astype(np.float32)
    document = document_of(poses, pelvis, fps=float(FPS), placement=placement)
    document = replace(document, contacts=dance.contacts)
    for _ in part("scene.take").write_take(dancer, document, number=1, name="Dance 001"):
        pass
    part("scene.storage").store(dancer, document, number=1)
    bpy.context.scene.pirouette.dancer = dancer
    return dancer


def import_file(path: Path, *, with_meshes: bool = True, hidden: bool = False) -> list[bpy.types.Object]:
    """The armatures of a file that may be characters. Raises ValueError for another kind of file.

    with_meshes: with what is skinned to them; hidden: which is not evaluated until it is shown.
    """
    before = set(bpy.data.objects)
    kind = path.suffix.lower()
    if kind in (".glb", ".gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif kind == ".fbx":
        importer = bpy.ops.import_scene.fbx if hasattr(bpy.types, "IMPORT_SCENE_OT_fbx") else bpy.ops.wm.fbx_import
        importer(filepath=str(path))
    elif kind == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path))
    elif kind == ".blend":
        with bpy.data.libraries.load(str(path)) as (there, wanted):
            wanted.objects = there.objects
        for thing in wanted.objects:
            if thing is not None and thing.type in ("ARMATURE", "MESH"):
                bpy.context.scene.collection.objects.link(thing)
    else:
        raise ValueError(f"{path} is no .glb, .gltf, .fbx, .bvh or .blend file")
    found = [thing for thing in bpy.data.objects if thing not in before and thing.type == "ARMATURE"]
    for thing in [thing for thing in bpy.data.objects if thing not in before and thing.type == "MESH"]:
        if with_meshes and thing.find_armature():
            thing.hide_viewport = hidden  # skinning takes most of the time
        else:
            bpy.data.objects.remove(thing)
    is_character = part("scene.character").is_character
    return [thing for thing in found if is_character(thing) and len(thing.data.bones) >= FEWEST_BONES]


def rigify(kind: str) -> bpy.types.Object:
    """A generated Rigify character, a key of METARIGS."""
    if "rigify" not in bpy.context.preferences.addons:
        bpy.ops.preferences.addon_enable(module="rigify")
    with active_kept():
        before = set(bpy.data.objects)
        getattr(bpy.ops.object, METARIGS[kind])()
        metarig = bpy.context.object
        bpy.ops.pose.rigify_generate()
    found = next(
        thing for thing in bpy.data.objects if thing.type == "ARMATURE" and thing not in before and thing != metarig
    )
    bpy.data.objects.remove(metarig)
    return found


def has_rigify() -> bool:
    """Whether this Blender was built with it."""
    import addon_utils  # which bpy brings along

    return any(module.__name__ == "rigify" for module in addon_utils.modules())


def made_up(name: str, *, seed: int) -> Cast:
    """A made-up character of random bone names and rolls, a key of BUILDS."""
    made = made_up_rig(BUILDS[name], np.random.default_rng(seed))
    return Cast(name, armature_of(made.rig, name), {joint: bones[0] for joint, bones in made.bones.items()})


def shown_bones(character: bpy.types.Object) -> dict[int, str]:
    """Joint to the bone that shows it: a control rig's body, not its controls."""
    rig, bone_map = part("scene.character").read_rig(character), part("scene.character").bone_map_of(character)
    body_bone = part("core.control_bones").body_bone
    return {row.joint: body_bone(rig, bone_map, row.joint, row.bones[0]) for row in bone_map.rows}


def watch(character: bpy.types.Object, frames: int) -> Seen:
    """Play the scene's first frames and look at the character's bones in each."""
    bones, scene = shown_bones(character), bpy.context.scene
    soles, floor_m = _soles(character, bones)
    carriers = sorted({bones[joint] for joint in FEET if joint in bones})
    heads = np.empty((frames, len(bones), 3))
    matrices = {name: np.empty((frames, 4, 4)) for name in carriers}
    for frame in range(frames):
        scene.frame_set(frame + 1)
        heads[frame] = [character.pose.bones[name].head for name in bones.values()]
        for name in carriers:
            matrices[name][frame] = character.pose.bones[name].matrix
    world = np.array(character.matrix_world)
    heads = heads @ world[:3, :3].T + world[:3, 3]
    points = [(world @ matrices[name] @ place)[:, :3] for name, place in soles]
    return Seen({joint: heads[:, at] for at, joint in enumerate(bones)}, np.stack(points, axis=1), floor_m)


def mesh_below_cm(character: bpy.types.Object, frames: int) -> float:
    """How deep the feet of a character's own mesh are ever under where they stand at rest; 0 without a mesh."""
    scene, deepest = bpy.context.scene, 0.0
    for body in [thing for thing in scene.objects if thing.type == "MESH" and thing.find_armature() == character]:
        chosen = _of_feet(body, character)
        if not len(chosen):
            continue
        body.hide_viewport = False
        character.data.pose_position = "REST"
        bpy.context.view_layer.update()
        floor_m = _heights(body)[chosen].min()
        character.data.pose_position = "POSE"
        for frame in range(1, frames + 1, _MESH_STEP_FRAMES):
            scene.frame_set(frame)
            deepest = max(deepest, 100.0 * float(floor_m - _heights(body)[chosen].min()))
        body.hide_viewport = True
    return deepest


def _of_feet(body: bpy.types.Object, character: bpy.types.Object) -> np.ndarray:
    """The numbers of the vertices that the feet carry more than the shins do."""
    bones = shown_bones(character)
    names = {bones[joint] for joint in FEET if joint in bones}
    feet = {
        bone.name for bone in character.data.bones if names & {bone.name, *(up.name for up in bone.parent_recursive)}
    }
    groups = {group.index for group in body.vertex_groups if group.name in feet}
    weights = [sum(part.weight for part in vertex.groups if part.group in groups) for vertex in body.data.vertices]
    return np.flatnonzero(np.array(weights) > 0.5)


def _heights(body: bpy.types.Object) -> np.ndarray:
    """Of all vertices as they are seen, metres in the world."""
    shown = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.empty(3 * len(shown.data.vertices), dtype=np.float32)
    shown.data.vertices.foreach_get("co", points)
    return points.reshape(-1, 3) @ np.array(shown.matrix_world)[2, :3] + shown.matrix_world[2][3]


def _soles(character: bpy.types.Object, bones: dict[int, str]) -> tuple[list[tuple[str, np.ndarray]], float]:
    """Points of both soles as (bone, (4,) in its own axes), and the height of the floor that they stand on at rest."""
    rig, bone_map = part("scene.character").read_rig(character), part("scene.character").bone_map_of(character)
    stage = part("core.calibration").calibrate(rig, bone_map)
    world = np.array(character.matrix_world)
    found: list[tuple[str, np.ndarray]] = []

    def carried(bone: str, place: np.ndarray) -> None:
        rest = world @ np.array(character.data.bones[bone].matrix_local)
        found.append((bone, np.linalg.inv(rest) @ np.append(place, 1.0)))

    for side, foot in enumerate(stage.feet):
        foot_bone, toes = bones[7 + side], bones.get(10 + side, bones[7 + side])
        ankle = (world @ np.append(np.array(character.data.bones[foot_bone].head_local), 1.0))[:3]
        for point in foot.sole:
            carried(foot_bone, ankle + stage.stand.T @ point)
        carried(toes, ankle + stage.stand.T @ (foot.ball + foot.tip))
    return found, float(world[2, 3] + stage.origin[2] + stage.floor_m)
