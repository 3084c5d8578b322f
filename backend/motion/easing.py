"""What is known of a motion put into its place, and the frames around it led there, in step with the beat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from backend.motion.representation import CHANNELS, CONTACTS

EASED = torch.ones(CHANNELS)
EASED[CONTACTS] = 0.0  # a foot does not come down little by little
HOLD_FRAMES = 12  # a pose that lies so near to a beat is held until it, or from it on
RAMP_FRAMES, SHORTEST_RAMP, LONGEST_RAMP = 20, 11, 31
CONTINUED_FRAMES = 5  # beside a passage that go on at its speed
PASSAGE_FRAMES = 4  # of so many known rows the network sees where they lead


def known_runs(mask: Tensor) -> list[tuple[int, int]]:
    """Runs of rows (first, last exclusive) of which something is known. mask: (T, C)."""
    known = torch.nn.functional.pad((mask.amax(1) > 0).int(), (1, 1)).diff()
    begins, ends = (torch.nonzero(known == sign)[:, 0].tolist() for sign in (1, -1))
    return list(zip(begins, ends, strict=True))


def eased(numbers: Tensor, known: Tensor, mask: Tensor, *, beats: Sequence[int] = ()) -> Tensor:
    """Rows (T, 151) with what is known in its place; what the rows beside it are off fades there.

    known, mask: (T, 151), mask 1 where known holds; beats: frames. How far the rows are off is read from where they
    lead to: a network that is told a single row repeats it, and may yet not lead to it. What is added grows and fades
    between beats and holds around the one that is near, so that the dance still arrives on its beats. Source: the idea
    of Beat-It's dilated key frames, put into the motion itself.
    """
    whole = torch.lerp(numbers, known, mask)
    runs, weight = known_runs(mask), mask * EASED.to(numbers)
    passages: list[tuple[int, int, int, int]] = []
    for number, (first, last) in enumerate(runs):
        before = first - runs[number - 1][1] if number else first
        after = (runs[number + 1][0] if number + 1 < len(runs) else len(numbers)) - last
        single = last - first < PASSAGE_FRAMES
        for edge, room, step in ((first, before, -1), (last - 1, after, 1)):
            shares = _shares(edge, room, step, beats if single else ())
            rows = edge + step * torch.arange(1, len(shares) + 1, device=numbers.device)
            led_to = _led_to(numbers, edge, step) if single else numbers[edge]
            whole[rows] += torch.tensor(shares, device=numbers.device)[:, None] * (known[edge] - led_to) * weight[edge]
        if last - first >= PASSAGE_FRAMES:
            passages.append((first, last, before, after))
    for passage in passages:
        _continued(whole, *passage)
    return whole


def bridged(numbers: Tensor, mask: Tensor) -> Tensor:
    """Rows (T, 151) in which single known rows and the rows next to them lie on the curve between those two and three
    frames away, where those are not known: what was stamped there without the rest does not twitch.
    """
    whole = numbers.clone()
    known = mask.amax(1) > 0
    for first, last in known_runs(mask):
        around = [first - 3, first - 2, last + 1, last + 2]
        if last - first > 1 or around[0] < 0 or around[3] >= len(numbers) or known[around].any():
            continue
        rows = slice(first - 1, last + 1)
        whole[rows] = torch.lerp(whole[rows], _curve(numbers[around], 3), mask[first] * EASED.to(numbers))
    return whole


def _continued(whole: Tensor, first: int, last: int, before: int, after: int) -> None:
    """Let the rows next to a passage (first, last exclusive) go on at its speed, in place, on a curve to where the
    others lead; where enough rows are free on that side (before, after).
    """
    sides = ((last, 1, after), (first - 1, -1, before))
    for row, step, room in sides:
        around = [row - 2 * step, row - step, row + CONTINUED_FRAMES * step, row + (CONTINUED_FRAMES + 1) * step]
        if room < CONTINUED_FRAMES + 2:
            continue
        rows = row + step * torch.arange(CONTINUED_FRAMES, device=whole.device)
        curve = _curve(whole[around], CONTINUED_FRAMES)
        whole[rows] = torch.lerp(whole[rows], curve, EASED.to(whole))


def _curve(around: Tensor, count: int) -> Tensor:
    """(count, C) rows between the second and third of four rows (4, C), at the speeds of the outer pairs."""
    a, b, c, d = around.unbind(0)
    share = torch.arange(1, count + 1, device=around.device)[:, None] / (count + 1)
    slope, other = (b - a) * (count + 1), (d - c) * (count + 1)
    curve: Tensor = (2 * share**3 - 3 * share**2 + 1) * b + (share**3 - 2 * share**2 + share) * slope
    return curve + (3 * share**2 - 2 * share**3) * c + (share**3 - share**2) * other


def _shares(edge: int, room: int, step: int, beats: Sequence[int]) -> list[float]:
    """How much of what a known row is off is added to the rows beside it, the nearest first; at most ``room`` rows."""
    distances = sorted(step * (beat - edge) for beat in beats)
    near = min(distances, key=abs, default=0)
    hold = near if 0 < near <= HOLD_FRAMES else 0
    ends = [each - hold for each in distances if SHORTEST_RAMP <= each - hold <= LONGEST_RAMP]
    ramp = min(ends, key=lambda each: abs(each - RAMP_FRAMES), default=RAMP_FRAMES)
    if hold + ramp > room:
        hold, ramp = max(min(hold, room - SHORTEST_RAMP), 0), min(ramp, room)
        ramp = min(ramp, room - hold)
    fading = [0.5 + 0.5 * math.cos(math.pi * number / (ramp + 1)) for number in range(1, ramp + 1)]
    return [1.0] * hold + fading


def _led_to(numbers: Tensor, edge: int, step: int) -> Tensor:
    """Where the rows on one side of a known row lead to, (151,): the line through those two and six frames away."""
    near, far = edge + 2 * step, edge + 6 * step
    if not (0 <= near < len(numbers) and 0 <= far < len(numbers)):
        return numbers[edge]
    return numbers[near] + 0.5 * (numbers[near] - numbers[far])
