"""A body of the SMPL family in Blender: an armature with its joints' names and one skinned mesh."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
import numpy as np
from mathutils import Vector

from ..core.errors import PirouetteError
from ..core.smpl_body import SmplBody, bone_tails, rolls_towards
from .armature import leave_edit_modes, make_active, visible_collection
from .character import editable

BODY_MARK = "pirouette_body"  # the custom property by which the skins of bodies are known
_LEAST_WEIGHT = 1e-4


def create_body(context: bpy.types.Context, body: SmplBody) -> bpy.types.Object:
    """A new body in the active collection, active and alone selected. Leaves nothing half-made."""
    leave_edit_modes(context)
    data = bpy.data.armatures.new(body.title)
    created: list[bpy.types.ID] = [data]
    try:
        armature = bpy.data.objects.new(body.title, data)
        visible_collection(context).objects.link(armature)
        make_active(context, armature)
        _build_bones(data, body)
        data.display_type = "STICK"
        armature.show_in_front = True
        for bone in armature.pose.bones:
            bone.rotation_mode = "QUATERNION"
        mesh = _mesh(body)
        created.append(mesh)
        _add_skin(armature, mesh, body)
    except BaseException:
        bpy.data.batch_remove(created)
        raise
    return armature


def reshape_body(context: bpy.types.Context, armature: bpy.types.Object, body: SmplBody) -> None:
    """Give a body of ours another shape: bones and skin move, and its animation goes on turning the same bones.

    Each bone keeps its direction and roll, so that a keyed rotation means the same as before.
    Raises PirouetteError bad_rig where bones or skin are no longer the file's.
    """
    editable(armature)
    skin = skin_of(armature)
    if skin is None or len(skin.data.vertices) != len(body.vertices):
        raise PirouetteError(
            "bad_rig", f"The skin of “{armature.name}” is no longer that of its file.", "Add the body anew."
        )
    gone = [name for name in body.joint_names if name not in armature.data.bones]
    if gone:
        raise PirouetteError("bad_rig", f"“{armature.name}” has no bone “{gone[0]}” any more.", "Add the body anew.")
    if not armature.visible_get(view_layer=context.view_layer):
        raise PirouetteError("bad_rig", f"“{armature.name}” is hidden.", "Show it, then shape it again.")
    with _editing(context, armature):
        _move_bones(armature.data, body)
    _move_skin(skin.data, body.vertices)


def skin_of(armature: bpy.types.Object) -> bpy.types.Object | None:
    """The mesh that came with a body, None where it is gone."""
    for child in armature.children:
        if child.type == "MESH" and BODY_MARK in child:
            return child
    return None


def _build_bones(data: bpy.types.Armature, body: SmplBody) -> None:
    tails = bone_tails(body)
    towards = rolls_towards(body.joints, tails)
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        for joint, name in enumerate(body.joint_names):
            bone = data.edit_bones.new(name)
            bone.head, bone.tail = Vector(body.joints[joint]), Vector(tails[joint])
            bone.align_roll(Vector(towards[joint]))
            if body.parents[joint] >= 0:
                bone.parent = data.edit_bones[body.joint_names[body.parents[joint]]]
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def _mesh(body: SmplBody) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(f"{body.title} Body")
    mesh.vertices.add(len(body.vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(body.vertices, dtype=np.float32).reshape(-1))
    mesh.loops.add(3 * len(body.faces))
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(body.faces).reshape(-1))
    mesh.polygons.add(len(body.faces))
    mesh.polygons.foreach_set("loop_start", 3 * np.arange(len(body.faces), dtype=np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(body.faces), dtype=bool))
    mesh.update(calc_edges=True)
    return mesh


def _add_skin(armature: bpy.types.Object, mesh: bpy.types.Mesh, body: SmplBody) -> None:
    skin = bpy.data.objects.new(mesh.name, mesh)
    for collection in armature.users_collection:
        collection.objects.link(skin)
    skin.parent = armature
    skin[BODY_MARK] = 1
    skin.modifiers.new("Armature", "ARMATURE").object = armature
    for joint, name in enumerate(body.joint_names):
        group, weights = skin.vertex_groups.new(name=name), body.weights[:, joint]
        for vertex in np.flatnonzero(weights > _LEAST_WEIGHT).tolist():
            group.add((vertex,), float(weights[vertex]), "REPLACE")


def _move_bones(data: bpy.types.Armature, body: SmplBody) -> None:
    """Bones of the file to their joints; bones that the animator has added go along with the one they hang from."""
    heads = dict(zip(body.joint_names, body.joints, strict=True))
    lengths = np.linalg.norm(bone_tails(body) - body.joints, axis=1)
    length_of = dict(zip(body.joint_names, lengths, strict=True))
    moved: dict[str, Vector] = {}
    for bone in sorted(data.edit_bones, key=lambda bone: len(bone.parent_recursive)):
        bone.use_connect = bone.use_connect and bone.name not in heads
        old, along, roll = bone.head.copy(), bone.tail - bone.head, bone.roll
        if bone.name in heads:
            head, length = Vector(heads[bone.name]), float(length_of[bone.name])
        else:
            head, length = old + moved.get(bone.parent.name if bone.parent else "", Vector()), along.length
        bone.head, bone.tail = head, head + along.normalized() * length
        bone.roll = roll
        moved[bone.name] = head - old


def _move_skin(mesh: bpy.types.Mesh, vertices: np.ndarray) -> None:
    """The vertices to their places; what shape keys add to them stays."""
    new = np.ascontiguousarray(vertices, dtype=np.float32).reshape(-1)
    if mesh.shape_keys is not None:
        basis = np.empty_like(new)
        mesh.shape_keys.reference_key.data.foreach_get("co", basis)
        for block in mesh.shape_keys.key_blocks:
            places = np.empty_like(new)
            block.data.foreach_get("co", places)
            block.data.foreach_set("co", places + (new - basis))
    mesh.vertices.foreach_set("co", new)
    mesh.update()


@contextmanager
def _editing(context: bpy.types.Context, armature: bpy.types.Object) -> Iterator[None]:
    """Edit Mode on an armature; afterwards the same is active, selected and in the mode that it was in."""
    layer = context.view_layer
    active, mode = layer.objects.active, context.mode
    selected = [thing for thing in layer.objects if thing.select_get(view_layer=layer)]
    was_posing = mode == "POSE"
    leave_edit_modes(context)
    make_active(context, armature)
    try:
        bpy.ops.object.mode_set(mode="EDIT")
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        make_active(context, armature)
        for thing in layer.objects:
            thing.select_set(thing in selected, view_layer=layer)
        layer.objects.active = active
        if was_posing:
            bpy.ops.object.mode_set(mode="POSE")
