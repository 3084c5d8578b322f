"""How a dance document is stored: its description's version, migrations from older ones, and packed numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import PirouetteError

FORMAT = "pirouette dance"
FORMAT_VERSION = 3
SOUND_CHANNELS = 37  # what is heard in a frame: energy 2, timbre 35

# From an older version to the next: MIGRATIONS[1] turns a header of version 1 into one of version 2.
Migration = Callable[[dict[str, Any], dict[str, npt.NDArray[Any]]], tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]]


def damaged(reason: str) -> PirouetteError:
    """Why a document is refused."""
    return PirouetteError("damaged_file", f"This dance is damaged: {reason}.", "Generate it again.")


def packed(sound: npt.NDArray[np.float16]) -> npt.NDArray[np.int32]:
    """Two halves in each int32: ID properties know no smaller numbers."""
    flat = np.ascontiguousarray(sound, dtype="<f2").reshape(-1)
    padded = np.zeros(len(flat) + len(flat) % 2, dtype="<f2")
    padded[: len(flat)] = flat
    pairs: npt.NDArray[np.int32] = padded.view("<i4").astype(np.int32)
    return pairs


def unpacked(values: npt.NDArray[Any], *, frames: int) -> npt.NDArray[np.float16]:
    """Sound (frames, SOUND_CHANNELS) of pairs of halves. Raises ValueError for another number of them."""
    halves = np.ascontiguousarray(values, dtype="<i4").view("<f2")
    count = frames * SOUND_CHANNELS
    if len(halves) != count + count % 2:
        raise ValueError(f"{len(halves)} numbers for the sound of {frames} frames")
    sound: npt.NDArray[np.float16] = halves[:count].reshape(frames, SOUND_CHANNELS).astype(np.float16)
    return sound


def _from_1_to_2(
    header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The first version had no sound, and its codes, never written by it, were flat: the dance is encoded anew."""
    empty = np.zeros(0, dtype=np.int32)
    added = {"pose_codes": empty, "movement_codes": empty, "sound": empty, "kept_keys": empty}
    if not header.get("sections"):
        settings, whole_s = header["settings"], int(header["frames"]) / float(header["fps"])
        words = {"genre": settings["genre"], "prompt": settings["text"], "seed": settings["seed"]}
        header = header | {"sections": [{"name": "1", "start_s": 0.0, "end_s": whole_s, **words}]}
    return header | {"movement_rows": 1, "pose_rows": 1, "sound_frames": 0}, arrays | added


def _from_2_to_3(
    header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The second version knew no key poses and no accents."""
    empty = np.zeros(0, dtype=np.float32)
    return header | {"key_poses": [], "accents_s": []}, arrays | {"key_poses": empty, "key_pelvis": empty}


MIGRATIONS: dict[int, Migration] = {1: _from_1_to_2, 2: _from_2_to_3}


def newer(version: int) -> PirouetteError:
    """Why a document of the future is refused."""
    return PirouetteError(
        "damaged_file",
        f"This dance was made by a newer Pirouette (its format is {version}, this one reads {FORMAT_VERSION}).",
        "Update the add-on to edit it; its keyframes are not affected.",
    )


def read_header(text: str) -> dict[str, Any]:
    """The description of a document of any version. Raises PirouetteError damaged_file."""
    try:
        header = json.loads(text)
    except ValueError as error:
        raise damaged(f"its description is not JSON ({error})") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT or not isinstance(header.get("version"), int):
        raise damaged("its description is not one of a dance")
    return header


def migrated(
    header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Description and arrays as this version writes them. Raises PirouetteError damaged_file."""
    version = int(header["version"])
    if version > FORMAT_VERSION:
        raise newer(version)
    while version < FORMAT_VERSION:
        if version not in MIGRATIONS:
            raise damaged(f"there never was a format {version}")
        try:
            header, arrays = MIGRATIONS[version](header, arrays)
        except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise damaged(f"{type(error).__name__} in {error}") from error
        version += 1
    return header, arrays
