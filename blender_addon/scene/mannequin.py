"""A body for the dancer: the built-in mannequin as one mesh, skinned to the armature."""

from __future__ import annotations

import bpy
import numpy as np

from ..core.mannequin_shape import Body, Paint, mannequin

BODY_NAME = "Dancer Body"
_COLOURS: dict[Paint, tuple[str, tuple[float, float, float]]] = {
    Paint.SHELL: ("Dancer Shell", (0.74, 0.73, 0.70)),
    Paint.JOINT: ("Dancer Joint", (0.10, 0.11, 0.13)),
    Paint.LEFT: ("Dancer Left", (0.02, 0.42, 0.55)),
    Paint.RIGHT: ("Dancer Right", (0.85, 0.26, 0.08)),
}


def add_mannequin(context: bpy.types.Context, dancer: bpy.types.Object) -> bpy.types.Object:
    """A new mannequin on this dancer, in the same collection."""
    body = mannequin()
    mesh = _mesh(body)
    figure = bpy.data.objects.new(BODY_NAME, mesh)
    for collection in dancer.users_collection:
        collection.objects.link(figure)
    figure.parent = dancer
    modifier = figure.modifiers.new("Armature", "ARMATURE")
    modifier.object = dancer
    _skin(figure, body)
    return figure


def _mesh(body: Body) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(BODY_NAME)
    corners = np.concatenate([body.quads.reshape(-1), body.triangles.reshape(-1)])
    sizes = np.concatenate([np.full(len(body.quads), 4), np.full(len(body.triangles), 3)])
    mesh.vertices.add(len(body.vertices))
    mesh.vertices.foreach_set("co", body.vertices.astype(np.float32).reshape(-1))
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    for paint in Paint:
        mesh.materials.append(_material(*_COLOURS[paint]))
    mesh.polygons.foreach_set("material_index", body.paint)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(sizes), dtype=bool))
    mesh.update(calc_edges=True)
    return mesh


def _material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    """The material of this name, shared by all dancers; one that the animator has recoloured stays so."""
    found = bpy.data.materials.get(name)
    if found is not None and found.library is None:
        return found
    material = bpy.data.materials.new(name)
    material.diffuse_color = (*colour, 1.0)
    material.roughness = 0.55
    principled = material.node_tree.nodes.get("Principled BSDF") if material.node_tree else None
    if principled is not None:
        principled.inputs["Base Color"].default_value = (*colour, 1.0)
        principled.inputs["Roughness"].default_value = 0.55
    return material


def _skin(figure: bpy.types.Object, body: Body) -> None:
    """Vertex groups named like the bones; equal weights are written together, which is fast."""
    for name, weights in body.weights.items():
        group = figure.vertex_groups.new(name=name)
        for weight in np.unique(np.round(weights[weights > 0.0], 4)):
            chosen = np.flatnonzero(np.isclose(weights, weight, atol=5e-5) & (weights > 0.0))
            group.add(chosen.tolist(), float(weight), "REPLACE")
