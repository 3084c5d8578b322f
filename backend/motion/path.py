"""A path led through places: the smallest change of speeds that brings a dancer there in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backend.motion.arrival import arriving, travelled


@dataclass(frozen=True)
class Waypoint:
    """Where the pelvis is above the floor in a frame, metres, and where it faces, radians; None for free.

    rigid: whether the frames since the waypoint before are known, and must not be changed.
    """

    frame: int
    place: tuple[float, float] | None
    yaw: float | None
    rigid: bool = False


def led(numbers: Tensor, start: Waypoint, waypoints: Sequence[Waypoint]) -> Tensor:
    """Rows (T, 151) of the representation, led from a start with a known place and heading through waypoints.

    Waypoints come in the order of their frames, all after the start's. Frames behind the last one follow as they were.
    """
    assert start.place is not None
    assert start.yaw is not None
    whole = numbers.clone()
    frame, (x, y), yaw = start.frame, start.place, start.yaw
    for point in waypoints:
        rows = whole[frame + 1 : point.frame + 1]
        moved, turned = travelled(rows)
        cos, sin = math.cos(yaw), math.sin(yaw)
        if not point.rigid and (point.place is not None or point.yaw is not None):
            turn = turned if point.yaw is None else torch.full_like(turned, point.yaw - yaw)
            place = moved
            if point.place is not None:
                away_x, away_y = point.place[0] - x, point.place[1] - y
                place = moved.new_tensor([cos * away_x + sin * away_y, cos * away_y - sin * away_x])
            rows = arriving(rows, place, turn)
            if point.place is None:  # the turn alone is led: the steps are as they were, seen from the dancer
                moved = travelled(rows)[0]
            else:
                moved = place
            turned = travelled(rows)[1]
            whole[frame + 1 : point.frame + 1] = rows
        x, y = x + cos * float(moved[0]) - sin * float(moved[1]), y + sin * float(moved[0]) + cos * float(moved[1])
        frame, yaw = point.frame, yaw + float(turned)
    return whole
