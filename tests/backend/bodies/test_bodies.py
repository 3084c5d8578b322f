"""Bodies from a user's own file: shape, joints and skin, from every format that the makers offer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import smplx
import torch
from smplx import joint_names
from smplx.utils import Struct
from smplx.vertex_ids import vertex_ids

from backend.bodies.body import shaped_body
from backend.bodies.joints import KINDS
from backend.bodies.load import load_body_model
from backend.errors import PirouetteError
from backend.motion.skeleton import JOINT_NAMES, PARENTS
from tests.fixtures.made_up_bodies import body_fields, joint_places, write_npz, write_pickle


@pytest.mark.parametrize(("joints", "kind"), [(24, "SMPL"), (52, "SMPL-H"), (55, "SMPL-X")])
@pytest.mark.parametrize("protocol", [None, 0, 1, 2, 4])
def test_each_body_is_read_from_each_format(tmp_path: Path, joints: int, kind: str, protocol: int | None) -> None:
    if protocol is None:
        path = write_npz(tmp_path / "body.npz", joints)
    else:
        path = write_pickle(tmp_path / "body.pkl", joints, protocol=protocol)
    model = load_body_model(path)
    places, parents = joint_places(joints)
    assert (model.kind, model.title) == (kind, "body")
    assert model.parents == tuple(parents)
    assert len(model.joint_names) == len(set(model.joint_names)) == joints
    body = shaped_body(model)
    upright = places[:, [0, 2, 1]] * [1, -1, 1]
    upright[:, 2] += 0.02 - upright[:, 2].min()  # the boxes reach 2 cm below the lowest joint
    np.testing.assert_allclose(body.joints, upright, atol=1e-6)
    assert body.vertices[:, 2].min() == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(model.weights, body_fields(joints)["weights"], atol=1e-6)
    np.testing.assert_array_equal(model.faces, body_fields(joints)["f"])


def test_the_joints_have_their_makers_names() -> None:
    assert KINDS[24].joint_names == JOINT_NAMES
    assert tuple(joint_names.JOINT_NAMES[:55]) == KINDS[55].joint_names
    assert tuple(joint_names.SMPLH_JOINT_NAMES[:52]) == KINDS[52].joint_names


def test_a_shape_is_that_of_the_makers_own_library(tmp_path: Path) -> None:
    fields = body_fields(24)
    betas = np.random.default_rng(3).normal(size=10)
    theirs = smplx.SMPL(
        "",
        data_struct=Struct(**fields),
        betas=torch.tensor(betas[None], dtype=torch.float32),
        vertex_ids=dict.fromkeys(vertex_ids["smplh"], 0),  # landmarks that this small mesh has not
    )
    output = theirs()
    ours = shaped_body(load_body_model(write_npz(tmp_path / "body.npz")), betas.tolist())
    vertices = output.vertices[0].detach().numpy()[:, [0, 2, 1]] * [1, -1, 1]
    floor = [0.0, 0.0, vertices[:, 2].min()]
    np.testing.assert_allclose(ours.vertices, vertices - floor, atol=1e-5)
    np.testing.assert_allclose(
        ours.joints, output.joints[0, :24].detach().numpy()[:, [0, 2, 1]] * [1, -1, 1] - floor, atol=1e-5
    )
    assert tuple(theirs.parents.tolist()) == ours.model.parents == PARENTS


def test_shape_numbers_change_the_body_and_zero_is_the_mean(tmp_path: Path) -> None:
    model = load_body_model(write_npz(tmp_path / "body.npz"))
    mean, tall = shaped_body(model), shaped_body(model, [2.0])
    assert np.ptp(tall.joints[:, 2]) == pytest.approx(1.2 * np.ptp(mean.joints[:, 2]), rel=1e-4)
    np.testing.assert_array_equal(shaped_body(model, [0.0] * 30).vertices, mean.vertices)


def test_expressions_of_the_face_are_no_shapes(tmp_path: Path) -> None:
    few = load_body_model(write_npz(tmp_path / "few.npz", 55))
    assert few.shapes.shape[-1] == 10
    many = body_fields(55, shapes=400)["shapedirs"]
    assert load_body_model(write_npz(tmp_path / "many.npz", 55, shapedirs=many)).shapes.shape[-1] == 300
    assert load_body_model(write_npz(tmp_path / "hands.npz", 52)).shapes.shape[-1] == 16


@pytest.mark.parametrize("betas", [[np.nan], [99.0], [0.0] * 10 + [1.0]])
def test_impossible_shape_numbers_are_told(tmp_path: Path, betas: list[float]) -> None:
    model = load_body_model(write_npz(tmp_path / "body.npz"))
    with pytest.raises(PirouetteError) as told:
        shaped_body(model, betas)
    assert told.value.code == "bad_request"
