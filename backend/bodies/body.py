"""A body of the SMPL family in the shape that is asked for (Loper et al. 2015, SMPL, equations 6, 8 and 10).

The pose's own corrections of the skin (equation 9) are left out: Blender's armatures have no place for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import PirouetteError
from backend.motion.skeleton import REST_TO_WORLD

MAX_BETA = 20.0  # in standard deviations of the people who were measured; nobody is that far from the mean

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BodyModel:
    """What a file holds, in its own frame: metres, Y up, facing +Z.

    template: (V, 3); shapes: (V, 3, N), what each shape number adds; regressor: (J, V), joints from vertices;
    weights: (V, J); faces: (F, 3); parents: -1 for the first; title: the file's name.
    """

    kind: str
    title: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    template: Floats
    shapes: Floats
    regressor: Floats
    weights: Floats
    faces: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Body:
    """A body at rest as Blender stands it: metres, Z up, facing -Y, its lowest point on z = 0.

    joints: (J, 3); vertices: (V, 3); betas: the shape numbers it was made with.
    """

    model: BodyModel
    joints: Floats
    vertices: Floats
    betas: tuple[float, ...]


def shaped_body(model: BodyModel, betas: Sequence[float] = ()) -> Body:
    """The model in a shape. betas: shape numbers, 0 is the mean; as many as one likes, the others are 0.

    Raises PirouetteError("bad_request") for numbers that are none, too far from the mean, or more than the file has.
    """
    known = model.shapes.shape[-1]
    asked = np.asarray(betas, dtype=np.float64).reshape(-1)
    if not np.isfinite(asked).all() or np.abs(asked).max(initial=0.0) > MAX_BETA:
        raise PirouetteError("bad_request", f"Shape numbers lie between -{MAX_BETA:g} and {MAX_BETA:g}.")
    if asked[known:].any():
        raise PirouetteError(
            "bad_request", f"{model.title} has {known} shape numbers, not {len(asked)}.", "Leave the others at 0."
        )
    vertices, joints = _shaped(model, asked[:known])
    vertices, joints = vertices @ REST_TO_WORLD.T, joints @ REST_TO_WORLD.T
    floor = np.array([0.0, 0.0, vertices[:, 2].min()])
    return Body(
        model=model,
        joints=(joints - floor).astype(np.float32),
        vertices=(vertices - floor).astype(np.float32),
        betas=tuple(float(beta) for beta in asked),
    )


def _shaped(model: BodyModel, betas: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Vertices (V, 3) and joints (J, 3) of the rest pose in the model's own frame, by SMPL's own library."""
    import torch
    from smplx.lbs import blend_shapes, vertices2joints

    with torch.inference_mode():
        numbers = torch.from_numpy(betas[None].astype(np.float32))
        shapes = torch.from_numpy(model.shapes[..., : len(betas)])
        vertices = torch.from_numpy(model.template)[None] + blend_shapes(numbers, shapes)
        joints = vertices2joints(torch.from_numpy(model.regressor), vertices)
    return vertices[0].numpy().astype(np.float64), joints[0].numpy().astype(np.float64)
