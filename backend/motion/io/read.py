"""Read motion from the files of the field; what a file is shows in its content, not in its name.

Known: npz with poses, pelvis and fps (ours), AMASS npz (SMPL, SMPL-H, SMPL-X), AIST++ pickles.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import PirouetteError
from backend.motion.io.unpickle import unpickle_arrays
from backend.motion.motion import Motion
from backend.motion.resample import axis_angle_to_quaternion, quaternion_to_axis_angle
from backend.motion.skeleton import REST_TO_WORLD

AIST_FPS = 60.0
# Pelvis of the neutral body with zero betas in the model's own rest frame, metres: translations move that frame, and
# a body turns about its pelvis, so the pelvis is always at translation + this.
SMPL_PELVIS_M = np.array([-0.0022, -0.2408, 0.0286])
SMPLX_PELVIS_M = np.array([0.0031, -0.3514, 0.0120])
_BODY_NUMBERS = 22 * 3  # SMPL-H and SMPL-X share SMPL's first 22 joints; their fingers have no place in 24
_SMPL, _SMPLH, _SMPLX = 72, 156, 165  # numbers a frame
_TURN_TO_Z_UP = np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0])  # quaternion of REST_TO_WORLD: 90 degrees about X
_KNOWN = "Expected an npz with poses, pelvis and fps, an AMASS npz or an AIST++ pickle."
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(d", b"}", b"c")
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".p")


def read_motion(path: Path) -> Motion:
    """The motion in a file, in metres and Z up, at the file's own frame rate.

    The body's shape is not read: the angles are put on the mean body, whose feet may then stand a little off the floor.
    Raises PirouetteError: "missing_file", "damaged_file" (truncated, not a motion, no frames, numbers that are not
    finite), "unsafe_file" (a pickle that would run something).
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PirouetteError("missing_file", f"{path} does not exist.", "Check the path.") from error
    except OSError as error:
        raise PirouetteError("missing_file", f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        if content.startswith(b"PK"):
            return _from_arrays(_npz_arrays(path))
        if content.startswith(_PICKLE_STARTS) or path.suffix.lower() in _PICKLE_SUFFIXES:
            return _from_aist(unpickle_arrays(content))
    except PirouetteError as error:
        raise PirouetteError(error.code, f"{path.name}: {error.message}", error.hint) from error
    raise PirouetteError("damaged_file", f"{path.name} is not a motion file.", _KNOWN)


def _npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz that a motion may need; the others are not touched."""
    wanted = ("poses", "pelvis", "fps", "trans", "mocap_framerate", "mocap_frame_rate")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in wanted if name in arrays.files}
            names = list(arrays.files)
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        MemoryError,
        tokenize.TokenError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        if "allow_pickle" in str(error):
            raise PirouetteError(
                "unsafe_file", "The arrays are pickled objects, which could run anything; nothing was read."
            ) from error
        raise PirouetteError("damaged_file", f"The npz is damaged or incomplete: {error}.") from error
    if "poses" not in found or not {"pelvis", "trans"} & found.keys():
        raise PirouetteError("damaged_file", f"The npz holds {', '.join(names) or 'nothing'}: no motion.", _KNOWN)
    return found


def _from_arrays(arrays: Mapping[str, np.ndarray]) -> Motion:
    """A motion from our own arrays or from AMASS'."""
    rate = next((arrays[name] for name in ("fps", "mocap_framerate", "mocap_frame_rate") if name in arrays), None)
    if rate is None:
        raise PirouetteError("damaged_file", "The file does not say its frame rate.", "Add fps.")
    fps = _number(rate, "frame rate")
    if "pelvis" in arrays:
        poses = _numbers(arrays["poses"], "poses")
        if poses.ndim == 2 and poses.shape[1] == _SMPL:
            poses = poses.reshape(len(poses), 24, 3)
        return _motion(poses, _numbers(arrays["pelvis"], "pelvis"), fps)
    poses, rest_pelvis_m = _smpl_poses(_numbers(arrays["poses"], "poses"))
    return _motion(poses, _numbers(arrays["trans"], "trans") + rest_pelvis_m, fps)


def _smpl_poses(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, 24, 3) of a body of the SMPL family (T, 72 | 156 | 165) and where that body's pelvis rests."""
    if flat.ndim == 3 and flat.shape[2] == 3:
        flat = flat.reshape(len(flat), -1)
    if flat.ndim != 2 or flat.shape[1] not in (_SMPL, _SMPLH, _SMPLX):
        raise PirouetteError(
            "damaged_file",
            f"Poses of shape {flat.shape} are not SMPL's (72 numbers), SMPL-H's (156) or SMPL-X's (165).",
        )
    poses = np.zeros((len(flat), _SMPL))
    kept = _SMPL if flat.shape[1] == _SMPL else _BODY_NUMBERS
    poses[:, :kept] = flat[:, :kept]
    return poses.reshape(-1, 24, 3), SMPLX_PELVIS_M if flat.shape[1] == _SMPLX else SMPL_PELVIS_M


def _from_aist(pickled: Mapping[str, Any]) -> Motion:
    """A motion from AIST++: SMPL on Y up, in a body scaled to centimetres; here scaled back to the mean body."""
    missing = {"smpl_poses", "smpl_trans"} - pickled.keys()
    if missing:
        raise PirouetteError("damaged_file", f"The pickle lacks {' and '.join(sorted(missing))}.", _KNOWN)
    poses, rest_pelvis_m = _smpl_poses(_numbers(pickled["smpl_poses"], "smpl_poses"))
    scaling = _number(pickled.get("smpl_scaling", 1.0), "smpl_scaling")
    if not scaling > 0.0:
        raise PirouetteError("damaged_file", f"A scaling of {scaling} is not a body's size.")
    pelvis = _numbers(pickled["smpl_trans"], "smpl_trans") / scaling + rest_pelvis_m
    poses[:, 0] = _turned_to_z_up(poses[:, 0])
    return _motion(poses, pelvis @ REST_TO_WORLD.T, AIST_FPS)


def _turned_to_z_up(root: np.ndarray) -> np.ndarray:
    """Root orientations (T, 3) in a Y-up world as seen in ours: the quaternion product of the turn and each."""
    w, x, y, z = np.moveaxis(axis_angle_to_quaternion(root), -1, 0)
    turn_w, turn_x, _, _ = _TURN_TO_Z_UP
    turned = [turn_w * w - turn_x * x, turn_w * x + turn_x * w, turn_w * y - turn_x * z, turn_w * z + turn_x * y]
    return quaternion_to_axis_angle(np.stack(turned, axis=-1))


def _numbers(value: Any, name: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.ndim < 2:
        raise PirouetteError("damaged_file", f"{name} is not a table of numbers.")
    return array.astype(np.float64)


def _number(value: Any, name: str) -> float:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.size != 1:
        raise PirouetteError("damaged_file", f"The {name} is not one number.")
    return float(array.reshape(-1)[0])


def _motion(poses: np.ndarray, pelvis: np.ndarray, fps: float) -> Motion:
    if len(poses) != len(pelvis):
        raise PirouetteError("damaged_file", f"There are {len(poses)} poses but {len(pelvis)} positions.")
    if not len(poses):
        raise PirouetteError("damaged_file", "The motion has no frames.")
    return Motion(poses, pelvis, fps)
