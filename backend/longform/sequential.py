"""One window after the other (LongDanceDiff): each goes on from the clean end of what has been made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from backend.diffusion.guided import GuidedDenoiser
from backend.diffusion.sampling import Given, Job, Predict, Sampler, solve
from backend.longform.bidirectional import with_past

PAST_FRAMES = 90


def sequential(guided: GuidedDenoiser, noise: Tensor, *, sampler: Sampler, job: Job, given: Given) -> Tensor:
    """A clean dance (rows, C) from standard noise of that shape, made window by window. Raises Cancelled."""
    rows, window = guided.rows, guided.window
    starts = window_starts_after(guided.frames, window, multiple=max(2, rows))
    made, done = given.clean.clone(), 0
    for number, start in enumerate(starts):
        here = slice(start // rows, (start + window) // rows)
        steps = Job(_share(job, number, len(starts)), job.cancelled)
        part = _part(given, made, here, done)
        predict = _window(guided, start, made[here.start : done])
        made[here] = solve(predict, noise[here], sampler=sampler, job=steps, given=part)
        done = here.stop
    return made


def window_starts_after(frames: int, window: int, *, multiple: int) -> list[int]:
    """First frames of windows of which each begins with the last three seconds of the one before it; the last one
    begins with more of it where the dance ends earlier.
    """
    step = (window - PAST_FRAMES) // multiple * multiple
    return [min(start, frames - window) for start in range(0, max(frames - PAST_FRAMES, 1), max(step, multiple))]


def _window(guided: GuidedDenoiser, start: int, past: Tensor) -> Predict:
    """Predictions of one window that is told the past (P, C) that it begins with."""
    known = guided.known_at([start], guided.window)
    if known is not None and len(past):
        known = with_past(known, past[None])
    return lambda noisy, step: guided(noisy[None], [start], step, known)[0]


def _part(given: Given, made: Tensor, here: slice, done: int) -> Given:
    """What is given of one window, of which the rows before ``done`` are made."""
    kept = given.kept.expand(-1, made.shape[1])[here].clone()
    kept[: max(done - here.start, 0)] = 1.0

    def adjust(rows: Tensor) -> Tensor:
        whole = made.clone()
        whole[here] = rows
        assert given.adjust is not None
        return given.adjust(whole)[here]

    return replace(
        given,
        clean=made[here].clone(),
        kept=kept,
        beats=tuple(beat - here.start for beat in given.beats),
        cues=None if given.cues is None else given.cues[here],
        adjust=None if given.adjust is None else adjust,
    )


def _share(job: Job, number: int, windows: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        job.progress(number * total + done, windows * total)

    return progress
