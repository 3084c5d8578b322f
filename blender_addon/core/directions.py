"""What the animator directs, as the request ``generate`` carries it. No bpy.

Times are seconds from the first frame of the dance that is asked for; motions are at the model's rate.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .dance import Beats
from .key_poses import FloatArray, KeyPose, key_pose_arrays, key_pose_fields

Motion = tuple[FloatArray, FloatArray]  # poses (T, 24, 3) axis-angle and pelvis (T, 3) metres, 30 frames a second


@dataclass(frozen=True)
class Part:
    """A span of the dance with words of its own."""

    start_s: float
    end_s: float
    genre: str = ""
    prompt: str = ""


@dataclass(frozen=True, eq=False)
class Directions:
    """All that is fixed before a dance is made.

    before, after: what the dance goes on from and arrives at; kept: motion of the whole length of which the spans
    ``kept_frames`` [first, last) stay; accents_s: moments at which a pose lands; beats: edited ones, None for the
    song's own; novelty: 0..1; strategy: "" for the best; reuse: ``none``, ``repeat`` or ``mirror``.
    """

    key_poses: tuple[KeyPose, ...] = ()
    accents_s: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()
    before: Motion | None = None
    after: Motion | None = None
    kept: Motion | None = None
    kept_frames: tuple[tuple[int, int], ...] = ()
    beats: Beats | None = None
    novelty: float = 0.0
    strategy: str = ""
    reuse: str = "none"

    def fields(self) -> dict[str, Any]:
        """The header's share of the request."""
        header: dict[str, Any] = {
            "directions": {
                "key_poses": key_pose_fields(self.key_poses),
                "accents_s": list(self.accents_s),
                "parts": [asdict(part) for part in self.parts],
                "kept_frames": [list(span) for span in self.kept_frames],
                "novelty": self.novelty,
                "strategy": self.strategy,
                "reuse": self.reuse,
            }
        }
        if self.beats is not None:
            beats = self.beats
            header |= {"tempo_bpm": beats.tempo_bpm, "metre": beats.metre, "beat_clear": beats.clear}
        return header

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays' share of the request."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        if self.key_poses:
            arrays |= key_pose_arrays(self.key_poses)
        for name, motion in (("before", self.before), ("after", self.after), ("kept", self.kept)):
            if motion is not None:
                arrays[f"{name}_poses"] = np.ascontiguousarray(motion[0], dtype="<f4")
                arrays[f"{name}_pelvis"] = np.ascontiguousarray(motion[1], dtype="<f4")
        if self.beats is not None:
            arrays["beats_s"] = np.ascontiguousarray(self.beats.beats_s, dtype="<f8")
            arrays["downbeat"] = np.ascontiguousarray(self.beats.downbeat, dtype=np.uint8)
        return arrays
