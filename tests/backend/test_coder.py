"""Sections as runs of codes: with the trained codec, on a short clip of real motion."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.coder import DanceCoder
from backend.dance import movement_count
from backend.models.codec import CodecConfig, DanceCodec
from backend.models.weights import load_into, read_weights, weight_bytes
from backend.motion.arrival import travelled
from backend.motion.io import read_motion
from backend.motion.representation import YAW_RATE, encode, facing_joints

CLIPS = sorted((Path(__file__).parents[1] / "fixtures" / "dances").glob("*.npz"))


@pytest.fixture(scope="module")
def coder() -> DanceCoder:
    return DanceCoder(torch.device("cpu"))


@pytest.fixture(scope="module")
def numbers() -> torch.Tensor:
    return encode(read_motion(CLIPS[0]))[:600]


def test_real_dance_comes_back_within_centimetres(coder: DanceCoder, numbers: torch.Tensor) -> None:
    frames = [149, 148, 149, len(numbers) - 446]
    rebuilt = coder.decode(*coder.encode(numbers, frames), frames)
    assert rebuilt.shape == numbers.shape
    joints, others = facing_joints(numbers), facing_joints(rebuilt)
    error = (joints - joints[:, :1] - others + others[:, :1]).norm(dim=-1).mean()
    assert float(error) < 0.05  # of a dance the codec has been trained on; chance is over 0.15


def test_each_section_has_whole_groups_of_codes(coder: DanceCoder, numbers: torch.Tensor) -> None:
    frames = [149, 3, 8, len(numbers) - 160]
    movement, pose = coder.encode(numbers, frames)
    assert len(movement) == sum(movement_count(each) for each in frames)
    assert len(pose) == 2 * len(movement)
    assert movement.dtype == pose.dtype == np.int16


def test_a_section_s_codes_do_not_depend_on_how_the_rest_is_cut(coder: DanceCoder, numbers: torch.Tensor) -> None:
    whole = coder.encode(numbers, [200, 120, len(numbers) - 320])
    cut = coder.encode(numbers, [37, 163, 120, 61, len(numbers) - 381])
    count, before = movement_count(120), movement_count(200)
    shifted = movement_count(37) + movement_count(163)
    assert np.array_equal(whole[0][before : before + count], cut[0][shifted : shifted + count])
    assert np.array_equal(whole[1][2 * before : 2 * (before + count)], cut[1][2 * shifted : 2 * (shifted + count)])


def test_sections_that_do_not_make_up_the_dance_are_refused(coder: DanceCoder, numbers: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="do not make up"):
        coder.encode(numbers, [100, 100])


def test_codes_that_mean_something_else_have_another_version(coder: DanceCoder, tmp_path: Path) -> None:
    file = read_weights("codec")
    codec = DanceCodec(CodecConfig(**file.config))
    load_into(codec, file)
    codec.pose.vectors[0, 0] += 1.0
    extra = {name: file.tensors[name] for name in ("mean", "std")}
    (tmp_path / "codec.safetensors").write_bytes(weight_bytes("codec", file.version, codec, extra))
    assert DanceCoder(torch.device("cpu"), weights=tmp_path).version != coder.version
    assert DanceCoder(torch.device("cpu")).version == coder.version


def test_a_dance_keeps_its_heading_and_its_path(
    coder: DanceCoder, numbers: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a minute of a dancer who also turns by three rounds."""
    turning = torch.cat([numbers, numbers[:304]])
    turning[:, YAW_RATE] += 6 * np.pi / (len(turning) / 30)
    frames = [150] * (len(turning) // 150) + [len(turning) % 150]

    def astray() -> tuple[float, float]:
        rebuilt = coder.decode(*coder.encode(turning, frames), frames)
        (here, yaw), (there, wanted) = travelled(rebuilt), travelled(turning)
        return abs(float(yaw - wanted)), float((here - there).norm())

    turned, gone = astray()
    monkeypatch.setattr(coder, "_aimed", coder.codec.encode)
    assert turned < np.radians(20)
    assert turned < 0.5 * astray()[0]
    assert gone < 0.5
