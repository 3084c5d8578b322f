"""Reading WAV files of every kind that Blender or a sound library writes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from blender_addon.core.errors import PirouetteError
from blender_addon.core.wav import read_wav

RATE_HZ = 8000
SAMPLES = (np.sin(np.arange(200) * 0.1) * 0.9).reshape(-1, 2)


def wav_bytes(data: bytes, *, kind: int, bits: int, channels: int = 2, extensible: bool = False) -> bytes:
    """A WAV file with a chunk that nobody knows before its samples."""
    block = channels * bits // 8
    tag = 0xFFFE if extensible else kind
    layout = struct.pack("<HHIIHH", tag, channels, RATE_HZ, RATE_HZ * block, block, bits)
    if extensible:
        layout += struct.pack("<HHIH14s", 22, bits, 3, kind, b"\x00" * 14)
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
        for name, body in ((b"fmt ", layout), (b"LIST", b"odd"), (b"data", data))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def pcm24(values: np.ndarray) -> bytes:
    wide = (values * (1 << 23)).astype("<i4").reshape(-1, 1).view(np.uint8)
    return wide[:, :3].tobytes()


@pytest.mark.parametrize(
    ("kind", "bits", "encode", "tolerance"),
    [
        (1, 16, lambda x: (x * 32768).astype("<i2").tobytes(), 1e-4),
        (1, 24, pcm24, 1e-6),
        (1, 32, lambda x: (x * (1 << 31)).astype("<i4").tobytes(), 1e-6),
        (3, 32, lambda x: x.astype("<f4").tobytes(), 1e-7),
        (3, 64, lambda x: x.astype("<f8").tobytes(), 1e-7),
    ],
)
@pytest.mark.parametrize("extensible", [False, True])
def test_every_sample_format_reads_as_floats(
    tmp_path: Path, kind: int, bits: int, encode: object, tolerance: float, extensible: bool
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(encode(SAMPLES), kind=kind, bits=bits, extensible=extensible))  # type: ignore[operator]
    sound = read_wav(path)
    assert sound.sample_rate_hz == RATE_HZ
    assert sound.samples.dtype == np.float32
    assert np.abs(sound.samples - SAMPLES).max() < tolerance
    assert np.allclose(sound.mono, SAMPLES.mean(axis=1), atol=1e-4)


def test_floats_beyond_full_scale_are_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "loud.wav"
    path.write_bytes(wav_bytes(np.array([1.5, -2.0], dtype="<f4").tobytes(), kind=3, bits=32, channels=1))
    assert read_wav(path).mono.tolist() == [1.5, -2.0]


def test_a_length_that_was_never_filled_in_means_to_the_end(tmp_path: Path) -> None:
    data = (SAMPLES * 32768).astype("<i2").tobytes()
    whole = wav_bytes(data, kind=1, bits=16)
    at = whole.index(b"data") + 4
    path = tmp_path / "streamed.wav"
    path.write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])
    assert read_wav(path).samples.shape == SAMPLES.shape


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_audio"),
        (b"la la la la la la", "not_audio"),
        (wav_bytes(b"", kind=1, bits=16)[:20], "damaged_file"),
        (wav_bytes(bytes(100), kind=1, bits=16)[:-30], "damaged_file"),
        (wav_bytes(bytes(100), kind=85, bits=16), "not_audio"),
    ],
)
def test_what_is_no_sound_is_told_with_the_files_name(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "lyrics.wav"
    path.write_bytes(content)
    with pytest.raises(PirouetteError, match=r"lyrics\.wav") as caught:
        read_wav(path)
    assert caught.value.code == code
