"""Does a dance repeat itself? How alike passages of it are, in centimetres: the smaller, the more it repeats itself.

Two measures, both on bodies turned to one heading with the pelvis at the origin. *A phrase apart*: each phrase of eight
counts against the next, frame by frame, as a dance that goes in circles with the music would show it. *Nearest
passage*: each two seconds against the two seconds most like it in the same twenty seconds, at any distance in time, so
that no beat needs to be known. Both are of pieces of one length, since in a longer dance something alike is found more
easily.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial.distance import cdist

from backend.evaluation.directed.facing import facing_joints
from backend.evaluation.windows import FloatArray
from backend.motion.motion import Motion

COUNTS = 8  # in a phrase
PASSAGE_S = 2.0
HOP_S = 0.2
PIECE_S = 20.0
READ_HZ = 10.0
METRES_TO_CM = 100.0


def a_phrase_apart(motion: Motion, beats_s: FloatArray) -> FloatArray:
    """(P,) cm: mean distance of the joints between each phrase and the next, of a dance whose beats are known.

    beats_s: (B,) from the first frame. A phrase is read at the same counts as the next, whatever their tempi. Empty for
    less than two phrases.
    """
    beats = np.sort(np.asarray(beats_s, dtype=np.float64))
    beats = beats[(beats >= 0.0) & (beats <= (motion.frames - 1) / motion.fps)]
    joints = facing_joints(motion)
    count = round(READ_HZ / 2)  # readings of each count
    phrases = [
        joints[_frames(beats[first : first + COUNTS + 1], count, motion.fps)]
        for first in range(0, len(beats) - COUNTS, COUNTS)
    ]
    apart = [np.linalg.norm(one - other, axis=-1).mean() for one, other in pairwise(phrases)]
    return METRES_TO_CM * np.array(apart, dtype=np.float64)


def _frames(beats_s: FloatArray, count: int, fps: float) -> np.ndarray:
    """Frames at equal shares of each of the beats' intervals."""
    places = np.arange((len(beats_s) - 1) * count) / count
    frames: np.ndarray = np.round(np.interp(places, np.arange(len(beats_s)), beats_s) * fps).astype(np.int64)
    return frames


def nearest_passages(motion: Motion, *, piece_s: float = PIECE_S) -> FloatArray:
    """(N,) cm: for each two seconds the root mean square distance of the joints to the most alike two seconds of the
    same piece that do not overlap them. A rest of less than a whole piece is left out.
    """
    step = max(round(motion.fps / READ_HZ), 1)
    joints = facing_joints(motion)[::step].reshape(-1, 72)
    length, piece = round(PASSAGE_S * READ_HZ), round(piece_s * READ_HZ)
    found = [_nearest(joints[first : first + piece], length) for first in range(0, len(joints) - piece + 1, piece)]
    return np.concatenate(found) if found else np.zeros(0)


def _nearest(rows: FloatArray, length: int) -> FloatArray:
    """(N,) cm for the passages of a piece (rows, 72), of ``length`` rows each."""
    hop = round(HOP_S * READ_HZ)
    firsts = np.arange(0, len(rows) - length + 1, hop)
    passages = np.stack([rows[first : first + length].ravel() for first in firsts])
    apart = cdist(passages, passages) / np.sqrt(length * 24)
    apart[np.abs(firsts[:, None] - firsts[None]) < length] = np.inf
    nearest: FloatArray = METRES_TO_CM * apart.min(axis=1)
    return nearest
