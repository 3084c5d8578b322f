"""Reading the field's files: the same motion from each layout, and a sentence for each way a file can be wrong."""

from __future__ import annotations

import builtins
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.motion.io import grounded, read_motion
from backend.motion.io.unpickle import unpickle_arrays
from backend.motion.motion import Motion
from backend.motion.skeleton import REST_TO_WORLD, global_rotations
from tests.fixtures.hostile import Hostile

FIXTURES = Path(__file__).parents[2] / "fixtures" / "motion"
LIBRARY, AMASS, AIST = "sway.npz", "sway_amass.npz", "gBR_sBM_cAll_d04_mBR0_ch01.pkl"
# Rest position of SMPL's pelvis: published with the model, mean neutral body.
SMPL_PELVIS_M, SMPLX_PELVIS_M = np.array([-0.0022, -0.2408, 0.0286]), np.array([0.0031, -0.3514, 0.0120])


def refusal(path: Path) -> PirouetteError:
    """The error that reading the path raises; it must name the file."""
    with pytest.raises(PirouetteError) as caught:
        read_motion(path)
    assert path.name in caught.value.message
    return caught.value


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def good(**changes: Any) -> dict[str, Any]:
    return {"poses": np.zeros((4, 24, 3)), "pelvis": np.zeros((4, 3)), "fps": 30.0} | changes


@pytest.mark.parametrize(("name", "fps"), [(LIBRARY, 30.0), (AMASS, 30.0), (AIST, 60.0)])
def test_every_layout_gives_the_same_body(name: str, fps: float) -> None:
    motion, reference = read_motion(FIXTURES / name), read_motion(FIXTURES / LIBRARY)
    assert (motion.frames, motion.fps) == (90, fps)
    np.testing.assert_allclose(motion.joints(), reference.joints(), atol=2e-3)  # the library keeps half floats
    assert np.ptp(motion.joints()[:, 10], axis=0).max() < 2e-3  # the planted foot
    assert motion.joints()[:, 15, 2].min() > 1.2


def test_the_name_of_a_file_does_not_matter(tmp_path: Path) -> None:
    for name in (LIBRARY, AMASS, AIST):
        renamed = tmp_path / f"{Path(name).stem}.dat"
        renamed.write_bytes((FIXTURES / name).read_bytes())
        assert read_motion(renamed).frames == 90


@pytest.mark.parametrize(("numbers", "pelvis"), [(72, SMPL_PELVIS_M), (156, SMPL_PELVIS_M), (165, SMPLX_PELVIS_M)])
@pytest.mark.parametrize("rate_name", ["mocap_framerate", "mocap_frame_rate"])
def test_amass_pelvis_does_not_turn_with_the_body(
    tmp_path: Path, numbers: int, pelvis: np.ndarray, rate_name: str
) -> None:
    poses = np.random.default_rng(0).normal(size=(5, numbers))
    path = saved(tmp_path / "a.npz", poses=poses, trans=np.ones((5, 3)), **{rate_name: 120})
    motion = read_motion(path)
    np.testing.assert_allclose(motion.pelvis, np.tile(1.0 + pelvis, (5, 1)), atol=1e-6)
    np.testing.assert_allclose(motion.poses[:, :22].reshape(5, 66), poses[:, :66], atol=1e-6)
    assert motion.fps == 120.0


def test_fingers_do_not_become_hands(tmp_path: Path) -> None:
    motion = read_motion(saved(tmp_path / "a.npz", poses=np.ones((2, 156)), trans=np.zeros((2, 3)), mocap_framerate=60))
    assert np.abs(motion.poses[:, 22:]).max() == 0.0


def test_aist_body_is_turned_upright_and_scaled_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    poses, translation = rng.normal(size=(6, 72)), rng.normal(size=(6, 3)) * 100
    path = tmp_path / "a.pkl"
    path.write_bytes(
        pickle.dumps(
            {"smpl_poses": poses, "smpl_trans": translation, "smpl_scaling": np.array([95.0]), "smpl_loss": 1.0}
        )
    )
    motion = read_motion(path)
    np.testing.assert_allclose(motion.pelvis, (translation / 95.0 + SMPL_PELVIS_M) @ REST_TO_WORLD.T, atol=1e-6)
    wanted = REST_TO_WORLD @ global_rotations(poses.reshape(6, 24, 3))
    np.testing.assert_allclose(global_rotations(motion.poses), wanted, atol=1e-5)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("numpy_module", [b"numpy.core", b"numpy._core"])
def test_pickles_of_every_protocol_and_numpy_are_read(protocol: int, numpy_module: bytes) -> None:
    fields = {
        "a": np.arange(6.0).reshape(2, 3),
        "b": np.asfortranarray(np.eye(3, dtype=np.float32)),
        "c": np.float64(2),
    }
    content = pickle.dumps(fields, protocol=protocol)
    if protocol < 4:  # later protocols keep the length of a name before it
        content = content.replace(b"numpy._core", numpy_module).replace(b"numpy.core", numpy_module)
    read = unpickle_arrays(content)
    for name, value in fields.items():
        np.testing.assert_array_equal(read[name], value)


def test_a_number_in_a_pickle_reserves_no_memory() -> None:
    tracemalloc.start()
    unpickle_arrays(b"\x80\x02}r\x00\x00\x00\x10.")  # remembers the dictionary under the number 268,435,456
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


def test_big_endian_arrays_are_read_by_value() -> None:
    read = unpickle_arrays(pickle.dumps({"a": np.array([1.5, -2.0], dtype=">f8")}))
    np.testing.assert_array_equal(read["a"], [1.5, -2.0])


@pytest.mark.parametrize("protocol", range(6))
def test_hostile_pickle_is_refused_and_runs_nothing(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "ran"
    for function, arguments in (
        (builtins.exec, (f"open({str(marker)!r}, 'w')",)),
        (builtins.getattr, ("text", "upper")),
        (open, (str(marker), "w")),
        (np.save, (str(marker), 0)),
        (np.fromfile, (str(marker),)),
    ):
        path = tmp_path / "motion.pkl"
        fields = {"smpl_poses": np.zeros((4, 72)), "smpl_trans": Hostile(function, *arguments)}
        path.write_bytes(pickle.dumps(fields, protocol=protocol))
        assert refusal(path).code == "unsafe_file"
        assert not list(tmp_path.glob("ran*"))


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"(ios\nsystem\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0ftesting.tempdir\x93.",
        b"\x80\x02cnumpy\nload\n.",
    ],
)
def test_handwritten_pickles_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "motion.pkl"
    path.write_bytes(content)
    assert refusal(path).code == "unsafe_file"


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cnumpy\nndarray\n}X\x01\x00\x00\x00aK\x01sb.",  # sets an attribute on a known name
        b"\x80\x02cnumpy\ndtype\n}X\x05\x00\x00\x00_callK\x01sb.",
        b"\x80\x02cbuiltins\nset\nN}X\x03\x00\x00\x00popK\x01s\x86b.",
        b"\x80\x02}q\x00X\x01\x00\x00\x00a",  # ends too early
        b"\x80\x02]q\x00.",  # not a dictionary
    ],
)
def test_pickle_that_tampers_or_ends_early_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "motion.pkl"
    path.write_bytes(content)
    assert refusal(path).code == "damaged_file"


def test_pickled_objects_within_an_npz_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", **good(poses=np.array([{"a": 1}], dtype=object)))
    assert refusal(path).code == "unsafe_file"


@pytest.mark.parametrize("name", [LIBRARY, AMASS, AIST])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.98])
def test_truncated_file_is_called_damaged(tmp_path: Path, name: str, kept: float) -> None:
    content = (FIXTURES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(len(content) * kept)])
    assert refusal(path).code == "damaged_file"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"poses": np.zeros((0, 24, 3)), "pelvis": np.zeros((0, 3))}, "no frames"),
        ({"poses": np.full((4, 24, 3), np.nan)}, "not finite"),
        ({"pelvis": np.full((4, 3), np.inf)}, "not finite"),
        ({"fps": 0.0}, "not finite|frame rate"),
        ({"fps": "fast"}, "frame rate"),
        ({"pelvis": np.zeros((5, 3))}, "4 poses but 5 positions"),
        ({"poses": np.zeros((4, 23, 3))}, "poses"),
        ({"poses": np.array(["a"] * 4)}, "not a table of numbers"),
    ],
)
def test_impossible_motion_is_refused_with_its_reason(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    error = refusal(saved(tmp_path / "a.npz", **good(**changes)))
    assert error.code == "damaged_file"
    assert any(word in error.message for word in words.split("|"))


def test_wrong_keys_are_named(tmp_path: Path) -> None:
    error = refusal(saved(tmp_path / "a.npz", betas=np.zeros(10)))
    assert error.code == "damaged_file"
    assert "betas" in error.message
    assert "AMASS" in error.hint
    assert "frame rate" in refusal(saved(tmp_path / "b.npz", poses=np.zeros((4, 72)), trans=np.zeros((4, 3)))).message
    assert "smpl_trans" in refusal(_pickled(tmp_path / "c.pkl", {"smpl_poses": np.zeros((4, 72))})).message
    odd = saved(tmp_path / "d.npz", poses=np.zeros((4, 63)), trans=np.zeros((4, 3)), mocap_framerate=30)
    assert "SMPL" in refusal(odd).message


def _pickled(path: Path, value: object) -> Path:
    path.write_bytes(pickle.dumps(value))
    return path


@pytest.mark.parametrize("content", [b"", b"just text", b"HIERARCHY\nROOT", b"\x93NUMPY\x01\x00"])
def test_file_of_another_kind_is_not_a_motion(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.npz"
    path.write_bytes(content)
    assert refusal(path).code == "damaged_file"


def test_missing_file_and_folder_are_told_apart_from_damage(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.npz").code == "missing_file"
    assert refusal(tmp_path).code == "missing_file"


def test_grounded_puts_the_standing_foot_on_the_floor() -> None:
    motion = read_motion(FIXTURES / LIBRARY)
    hanging = Motion(motion.poses, motion.pelvis + np.array([0.0, 0.0, 0.13]), motion.fps)
    low = grounded(hanging).joints()[:, [10, 11], 2].min(axis=1)
    assert np.percentile(low, 5) == pytest.approx(0.02, abs=1e-3)
