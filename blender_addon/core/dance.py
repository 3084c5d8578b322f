"""The dance document: everything about one dance that a .blend keeps, so that it can be edited again years later.

It is stored as a JSON text and named arrays. The text carries a format version: an older document is migrated, a newer
or a damaged one is refused with a sentence, and none is ever misread.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .dance_format import (
    FORMAT,
    FORMAT_VERSION,
    SOUND_CHANNELS,
    damaged,
    migrated,
    newer,
    packed,
    read_header,
    unpacked,
)
from .key_poses import KeyPose, key_pose_arrays, key_pose_fields, key_poses_from
from .skeleton import JOINT_NAMES

CONTACT_JOINTS = ("L_Ankle", "R_Ankle", "L_Foot", "R_Foot")
GROUP_FRAMES = 8  # codes come in groups: two movement codes and four pose codes

_T = TypeVar("_T")


@dataclass(frozen=True)
class Section:
    """A span of the dance with its own prompt and seed; times in seconds from the dance's start."""

    name: str
    start_s: float
    end_s: float
    genre: str = ""
    prompt: str = ""
    seed: int = 0
    locked: bool = False


@dataclass(frozen=True)
class Settings:
    """What the animator asked for. source: ``SCENE``, ``PREVIEW`` or ``STRIP``; strip: its name; model: what the dance
    is made from, ``MOTION`` or ``CODE``; novelty: 0..1; strategy: how a long dance is made, "" for the best; reuse:
    what parts of the music that come again share, ``none``, ``repeat`` or ``mirror``.
    """

    genre: str = ""
    text: str = ""
    seed: int = 0
    source: str = "SCENE"
    strip: str = ""
    model: str = "MOTION"
    novelty: float = 0.0
    strategy: str = ""
    reuse: str = "none"


@dataclass(frozen=True)
class Placement:
    """Where the dance lies in its scene: first frame, number of frames, and the scene's frames a second."""

    first_frame: int
    frames: int
    fps: float


@dataclass(frozen=True, eq=False)
class Beats:
    """The music's beats. beats_s: (B,) seconds from the dance's start; downbeat: (B,) true where a bar starts."""

    beats_s: npt.NDArray[np.float64]
    downbeat: npt.NDArray[np.bool_]
    tempo_bpm: float
    metre: int
    clear: bool


@dataclass(frozen=True, eq=False)
class DanceDocument:
    """One dance.

    poses: (T, 24, 3) float32 axis-angle, radians; pelvis: (T, 3) float32 metres, Z up; both at ``fps``.
    contacts: (T, 4) bool for CONTACT_JOINTS. movement_codes: (K, rows) and pose_codes: (2K, rows) int16, those of all
    sections one behind the other, empty where the dance was not encoded. sound: (S, 37) float16, what is heard in each
    frame, empty where there is no song. report: the backend's measures by name; warnings: sentences for the animator.
    kept_keys: (placement.frames,) int32, a checksum for each scene frame whose hand-made keys this document has read in
    and 0 for the others; empty where there are none. key_poses: those that the dance passes through, in order of time;
    accents_s: seconds at which a pose lands.
    """

    poses: npt.NDArray[np.float32]
    pelvis: npt.NDArray[np.float32]
    contacts: npt.NDArray[np.bool_]
    fps: float
    beats: Beats
    placement: Placement
    settings: Settings = Settings()
    sections: tuple[Section, ...] = ()
    model_version: str = ""
    addon_version: str = ""
    report: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    pose_codes: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 1), dtype=np.int16))
    movement_codes: npt.NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 1), dtype=np.int16))
    sound: npt.NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, SOUND_CHANNELS), dtype=np.float16))
    kept_keys: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    key_poses: tuple[KeyPose, ...] = ()
    accents_s: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        frames = len(self.poses)
        joints = len(JOINT_NAMES)
        if frames == 0 or self.poses.shape != (frames, joints, 3) or self.pelvis.shape != (frames, 3):
            raise damaged(f"its motion has the shapes {self.poses.shape} and {self.pelvis.shape}")
        if self.contacts.shape != (frames, len(CONTACT_JOINTS)):
            raise damaged(f"its contacts have the shape {self.contacts.shape} for {frames} frames")
        if self.beats.beats_s.shape != self.beats.downbeat.shape or self.beats.beats_s.ndim != 1:
            raise damaged("its beats and downbeats do not go together")
        if not (np.isfinite(self.poses).all() and np.isfinite(self.pelvis).all()):
            raise damaged("its motion holds numbers that are not finite")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise damaged(f"its rate is {self.fps} frames a second")
        if self.sound.ndim != 2 or self.sound.shape[1] != SOUND_CHANNELS or not np.isfinite(self.sound).all():
            raise damaged("what it has heard of the song cannot be read")
        if self.kept_keys.shape not in ((0,), (self.placement.frames,)):
            raise damaged("its marks of keys do not fit its length")
        self._check_codes()

    def _check_codes(self) -> None:
        movement, pose = self.movement_codes, self.pose_codes
        if movement.ndim != 2 or pose.ndim != 2 or len(pose) != 2 * len(movement):
            raise damaged(f"its codes have the shapes {movement.shape} and {pose.shape}")
        if len(movement) not in (0, sum(self._code_counts())):
            raise damaged(f"it has {len(movement)} movement codes for sections of {sum(self._code_counts())}")

    def _code_counts(self) -> list[int]:
        return [2 * -(-(last - first) // GROUP_FRAMES) for first, last in map(self.frames_of, self.sections)]

    @property
    def duration_s(self) -> float:
        """How long the dance is."""
        return len(self.poses) / self.fps

    def frames_of(self, section: Section) -> tuple[int, int]:
        """First frame of a section and the frame after its last, at the dance's own rate."""
        return round(section.start_s * self.fps), round(section.end_s * self.fps)

    def codes_of(self, index: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
        """Movement codes (K, rows) and pose codes (2K, rows) of the section with this number, from 0."""
        counts = self._code_counts()
        first = sum(counts[:index])
        last = first + counts[index]
        return self.movement_codes[first:last], self.pose_codes[2 * first : 2 * last]


def to_parts(document: DanceDocument) -> tuple[str, dict[str, npt.NDArray[Any]]]:
    """The document as a JSON text and flat arrays of int32, float32 or float64, as ID properties hold them."""
    beats = document.beats
    header = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "frames": len(document.poses),
        "joints": list(JOINT_NAMES),
        "fps": document.fps,
        "beats": {"tempo_bpm": beats.tempo_bpm, "metre": beats.metre, "clear": beats.clear},
        "placement": asdict(document.placement),
        "settings": asdict(document.settings),
        "sections": [asdict(section) for section in document.sections],
        "model_version": document.model_version,
        "addon_version": document.addon_version,
        "report": dict(document.report),
        "warnings": list(document.warnings),
        "movement_rows": document.movement_codes.shape[1],
        "pose_rows": document.pose_codes.shape[1],
        "sound_frames": len(document.sound),
        "key_poses": key_pose_fields(document.key_poses),
        "accents_s": list(document.accents_s),
    }
    arrays: dict[str, npt.NDArray[Any]] = {
        "poses": np.ascontiguousarray(document.poses, dtype=np.float32).reshape(-1),
        "pelvis": np.ascontiguousarray(document.pelvis, dtype=np.float32).reshape(-1),
        "contacts": document.contacts.astype(np.int32) @ (1 << np.arange(len(CONTACT_JOINTS), dtype=np.int32)),
        "beats_s": np.ascontiguousarray(beats.beats_s, dtype=np.float64),
        "downbeat": beats.downbeat.astype(np.int32),
        "pose_codes": document.pose_codes.astype(np.int32).reshape(-1),
        "movement_codes": document.movement_codes.astype(np.int32).reshape(-1),
        "sound": packed(document.sound),
        "kept_keys": document.kept_keys.astype(np.int32),
        **{name: values.reshape(-1) for name, values in key_pose_arrays(document.key_poses).items()},
    }
    return json.dumps(header, ensure_ascii=False), arrays


def from_parts(text: str, arrays: Mapping[str, npt.NDArray[Any]]) -> DanceDocument:
    """The document of a JSON text and its arrays.

    Raises PirouetteError damaged_file for a document that is damaged, or newer than this version can read.
    """
    header, parts = migrated(read_header(text), dict(arrays))
    try:
        return _document(header, parts)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(f"{type(error).__name__} in {error}") from error


def sections_text(text: str, sections: Sequence[Section]) -> str:
    """The JSON text of a stored document with other words, seeds and locks on its sections of the same spans.

    Raises PirouetteError damaged_file when the text is not a document's, or its spans are others.
    """
    header = read_header(text)
    spans = [(section.start_s, section.end_s) for section in sections]
    try:
        before = [(float(section["start_s"]), float(section["end_s"])) for section in header["sections"]]
    except (KeyError, TypeError, ValueError) as error:
        raise damaged("its sections cannot be read") from error
    if spans != before:
        raise damaged("its sections are not those that are shown")
    return json.dumps(header | {"sections": [asdict(section) for section in sections]}, ensure_ascii=False)


def sections_of_text(text: str) -> tuple[Section, ...]:
    """The sections in a document's JSON text, without its arrays. Raises PirouetteError damaged_file."""
    header = read_header(text)
    if int(header["version"]) > FORMAT_VERSION:
        raise newer(int(header["version"]))
    try:
        return tuple(_known(Section, section) for section in header["sections"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged("its sections cannot be read") from error


def _document(header: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> DanceDocument:
    if tuple(header["joints"]) != JOINT_NAMES:
        raise damaged("it is of another skeleton")
    frames = int(header["frames"])
    bits = np.asarray(arrays["contacts"], dtype=np.int32)[:, None] >> np.arange(len(CONTACT_JOINTS), dtype=np.int32)
    beats = header["beats"]
    return DanceDocument(
        poses=np.asarray(arrays["poses"], dtype=np.float32).reshape(frames, len(JOINT_NAMES), 3),
        pelvis=np.asarray(arrays["pelvis"], dtype=np.float32).reshape(frames, 3),
        contacts=(bits & 1).astype(np.bool_),
        fps=float(header["fps"]),
        beats=Beats(
            np.asarray(arrays["beats_s"], dtype=np.float64),
            np.asarray(arrays["downbeat"]).astype(np.bool_),
            float(beats["tempo_bpm"]),
            int(beats["metre"]),
            bool(beats["clear"]),
        ),
        placement=_known(Placement, header["placement"]),
        settings=_known(Settings, header["settings"]),
        sections=tuple(_known(Section, section) for section in header["sections"]),
        model_version=str(header["model_version"]),
        addon_version=str(header["addon_version"]),
        report=dict(header["report"]),
        warnings=tuple(str(warning) for warning in header["warnings"]),
        pose_codes=_codes(arrays["pose_codes"], rows=int(header["pose_rows"])),
        movement_codes=_codes(arrays["movement_codes"], rows=int(header["movement_rows"])),
        sound=unpacked(arrays["sound"], frames=int(header["sound_frames"])),
        kept_keys=np.asarray(arrays["kept_keys"], dtype=np.int32),
        key_poses=key_poses_from(
            header["key_poses"],
            np.asarray(arrays["key_poses"], dtype=np.float32).reshape(-1, len(JOINT_NAMES), 3),
            np.asarray(arrays["key_pelvis"], dtype=np.float32).reshape(-1, 3),
        ),
        accents_s=tuple(float(accent) for accent in header["accents_s"]),
    )


def _codes(values: npt.NDArray[Any], *, rows: int) -> npt.NDArray[np.int16]:
    codes: npt.NDArray[np.int16] = np.asarray(values).reshape(-1, rows).astype(np.int16)
    return codes


def _known(kind: type[_T], values: Mapping[str, Any]) -> _T:
    """A dataclass from the fields of a JSON object; what this version does not know is left out."""
    names = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in names})
