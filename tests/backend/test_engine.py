"""From the wire to the Choreographer and back: the real server process, with networks that have learned nothing."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from backend.dance_messages import plain
from backend.engine import ChoreographerEngine
from backend.errors import PirouetteError
from backend.models.codec import CodecConfig, DanceCodec
from backend.models.denoiser import DenoiserConfig, ParallelMambaDenoiser
from backend.models.refiner import RefinerConfig, TemporalRefiner
from backend.models.weights import weight_bytes
from backend.protocol import Message, ProtocolError, request
from blender_addon.core.client import BackendClient
from blender_addon.core.environment import backend_launch

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 44100
PATIENCE_S = 300.0


def clicks(duration_s: float, *, channels: int = 2) -> np.ndarray:
    """Two clicks a second."""
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    sound = np.sin(2 * np.pi * 440 * time_s) * np.exp(-40 * (time_s % 0.5))
    return np.repeat(sound[:, None], channels, axis=1).astype("f4")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendClient]:
    """A backend process with small networks of random weights."""
    folder = tmp_path_factory.mktemp("the weights")
    torch.manual_seed(0)
    denoiser = ParallelMambaDenoiser(DenoiserConfig(width=64, blocks=1, decoder_width=32, directed=True))
    refiner = TemporalRefiner(RefinerConfig(width=64, blocks=1))
    statistics = {"mean": torch.zeros(151), "std": torch.full((151,), 0.1)}
    codec = DanceCodec(CodecConfig(width=32, fine_width=16, code_width=8))
    for books in (codec.movement, codec.pose):
        torch.nn.init.normal_(books.vectors)
    (folder / "codec.safetensors").write_bytes(weight_bytes("codec", "test", codec, statistics))
    (folder / "denoiser.safetensors").write_bytes(weight_bytes("denoiser", "test", denoiser, statistics))
    (folder / "refiner.safetensors").write_bytes(weight_bytes("refiner", "test", refiner, {}))
    launch = backend_launch(sys.executable, ROOT / "backend")
    arguments = (*launch.arguments, "--device", "cpu", "--threads", "1", "--weights", str(folder))
    client = BackendClient(arguments, log_path=folder / "log", environment=launch.environment)
    client.start()
    ready = client.wait("1", PATIENCE_S)
    assert ready.type == "ready", ready.header
    assert ready.header["device"] == "cpu"
    yield client
    client.close(10.0)


def generate(client: BackendClient, sound: np.ndarray, **fields: object) -> str:
    header = {"type": "generate", "sample_rate_hz": RATE_HZ, **fields}
    return client.submit(header, {"audio": sound})


def test_a_song_becomes_a_dance_of_its_length_at_thirty_frames_a_second(client: BackendClient) -> None:
    stages: list[str] = []
    identity = generate(client, clicks(4.0), genre="house", text="slow", seed=2, fps=24.0)
    result = client.wait(identity, PATIENCE_S, on_message=lambda m: stages.append(m.header["stage"]))
    assert result.type == "result", result.header
    assert result.header["fps"] == 30.0
    assert list(dict.fromkeys(stages)) == ["listen", "dance", "refine", "plant"]
    arrays = {name: array.numpy() for name, array in result.arrays.items()}
    assert arrays["poses"].shape == (120, 24, 3)
    assert arrays["pelvis"].shape == (120, 3)
    assert arrays["contacts"].shape == (120, 4)
    assert np.isfinite(arrays["poses"]).all()
    assert arrays["beats_s"].shape == arrays["downbeat"].shape
    asked = {"genre": "house", "text": "slow", "seed": 2, "novelty": 0.0, "strategy": "", "reuse": "none"}
    assert result.header["settings"] == asked
    assert result.header["sections"][0]["start_s"] == 0.0
    assert result.header["sections"][-1]["end_s"] == pytest.approx(4.0)
    assert result.header["report"]["frames"] == 120
    assert set(result.header["report"]["stage_seconds"]) == {"listen", "dance", "refine", "plant"}


def test_a_dance_is_generated_and_then_edited(client: BackendClient) -> None:
    made = client.wait(generate(client, clicks(9.0), genre="house", seed=2), PATIENCE_S)
    arrays = {name: array.numpy() for name, array in made.arrays.items()}
    assert arrays["sound"].shape == (270, 37)
    assert 2 * len(arrays["movement_codes"]) == len(arrays["pose_codes"]) > 0
    operation = {"op": "regenerate", "span": "#2", "seed": 9}
    header = {"type": "edit", "operation": operation, "dance": made.header}
    edited = client.wait(client.submit(header, arrays), PATIENCE_S)
    assert edited.type == "result", edited.header
    [[first, last]] = edited.header["report"]["touched"]
    section = edited.header["sections"][1]
    assert (first, last) == (round(section["start_s"] * 30), round(section["end_s"] * 30))
    changed = (edited.arrays["poses"].numpy() != arrays["poses"]).any(axis=(1, 2))
    assert not changed[:first].any()
    assert not changed[last:].any()
    assert changed[first:last].any()
    assert section["seed"] == 9


def test_a_dance_obeys_its_directions_when_it_is_made_and_when_it_is_edited(client: BackendClient) -> None:
    before = client.wait(generate(client, clicks(4.0), seed=1), PATIENCE_S)
    end = {name: before.arrays[name].numpy() for name in ("poses", "pelvis")}
    key = {"time_s": 2.0, "joints": list(range(24)), "place": True, "heading": True}
    pose, place = end["poses"][30], end["pelvis"][-1] + np.array([0.5, 0.2, 0.0], "f4")
    parts = [{"start_s": 4.0, "end_s": 8.0, "genre": "salsa", "prompt": "turns"}]
    beats = np.arange(0.3, 8.0, 0.6)
    sound = {
        "audio": clicks(8.0),
        "key_poses": pose[None],
        "key_pelvis": place[None],
        "before_poses": end["poses"],
        "before_pelvis": end["pelvis"],
        "beats_s": beats,
        "downbeat": (np.arange(len(beats)) % 4 == 1).astype("u1"),
    }
    header = {"type": "generate", "sample_rate_hz": RATE_HZ, "tempo_bpm": 100.0, "metre": 4, "genre": "house"}
    header["directions"] = {"key_poses": [key], "parts": parts}
    made = client.wait(client.submit(header, sound), PATIENCE_S)
    assert made.type == "result", made.header
    arrays = {name: array.numpy() for name, array in made.arrays.items()}
    np.testing.assert_array_equal(arrays["beats_s"], beats)
    assert_passes(arrays, pose, place)
    assert np.linalg.norm(arrays["pelvis"][0, :2] - end["pelvis"][-1, :2]) < 0.1
    assert made.header["key_poses"] == [key]
    assert made.header["sections"][-1]["genre"] == "salsa"
    assert made.header["sections"][-1]["start_s"] == 4.0

    edit = {"type": "edit", "operation": {"op": "regenerate", "span": "0.5:3.5", "seed": 5}, "dance": made.header}
    edited = client.wait(client.submit(edit, arrays), PATIENCE_S)
    assert edited.type == "result", edited.header
    assert edited.header["report"]["missed_key_poses_s"] == []
    assert_passes({name: array.numpy() for name, array in edited.arrays.items()}, pose, place)


def assert_passes(arrays: dict[str, np.ndarray], pose: np.ndarray, place: np.ndarray) -> None:
    """The sixtieth frame is the pose, at the place."""
    turned = Rotation.from_rotvec(arrays["poses"][60].astype(float)) * Rotation.from_rotvec(pose.astype(float)).inv()
    assert np.degrees(turned.magnitude().max()) < 0.05
    np.testing.assert_allclose(arrays["pelvis"][60], place, atol=1e-3)


def test_directions_that_cannot_be_followed_are_told(client: BackendClient) -> None:
    fields = {"directions": {"accents_s": [60.0]}}
    answer = client.wait(generate(client, clicks(4.0), **fields), PATIENCE_S)
    assert (answer.type, answer.header.get("code")) == ("error", "bad_range")
    assert "The accent at 60 s lies outside the dance" in answer.header["message"]


def test_a_motion_from_elsewhere_is_encoded(client: BackendClient) -> None:
    poses = np.zeros((50, 24, 3), "f4")
    poses[:, 0, 0] = np.pi / 2
    arrays = {"poses": poses, "pelvis": np.tile(np.array([0.0, 0.0, 0.9], "f4"), (50, 1))}
    answer = client.wait(client.submit({"type": "encode", "fps": 25.0}, arrays), PATIENCE_S)
    assert answer.type == "result", answer.header
    assert answer.arrays["poses"].shape == (60, 24, 3)
    assert len(answer.arrays["pose_codes"].numpy()) == 32


def test_the_same_seed_gives_the_same_dance_and_another_seed_another(client: BackendClient) -> None:
    first, again, other = (
        client.wait(generate(client, clicks(3.0), seed=seed), PATIENCE_S).arrays["poses"].numpy() for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_analyse_gives_beats_tempo_and_length(client: BackendClient) -> None:
    answer = client.wait(
        client.submit({"type": "analyse", "sample_rate_hz": RATE_HZ}, {"audio": clicks(8.0, channels=1)[:, 0].copy()}),
        PATIENCE_S,
    )
    assert answer.header["tempo_bpm"] == pytest.approx(120.0, rel=0.03)
    assert answer.header["duration_s"] == pytest.approx(8.0, abs=0.01)
    assert len(answer.arrays["beats_s"].numpy()) >= 15


@pytest.mark.parametrize(
    ("sound", "fields", "code"),
    [
        (np.zeros((RATE_HZ * 4, 2), "f4"), {}, "silence"),
        (clicks(0.3), {}, "too_short"),
        (np.zeros((0, 2), "f4"), {}, "no_sound"),
        (np.zeros((1000, 40), "f4"), {}, "bad_request"),
        (np.full((RATE_HZ * 4,), np.nan, "f4"), {}, "damaged_file"),
        (clicks(4.0), {"genre": "zzyzx"}, "unknown_genre"),
    ],
    ids=["silence", "0.3 s", "nothing", "40 channels", "not numbers", "unknown genre"],
)
def test_bad_input_is_told_with_its_code(
    client: BackendClient, sound: np.ndarray, fields: dict[str, object], code: str
) -> None:
    answer = client.wait(generate(client, sound, **fields), PATIENCE_S)
    assert (answer.type, answer.header.get("code")) == ("error", code)
    assert answer.header["message"].endswith(".")


def test_cancel_stops_a_dance(client: BackendClient) -> None:
    identity = generate(client, clicks(60.0))
    client.cancel(identity)
    assert client.wait(identity, PATIENCE_S).type == "cancelled"


class Refusing:
    """A Choreographer that must not be called."""


def test_a_request_without_sound_never_reaches_the_choreographer() -> None:
    engine = ChoreographerEngine(Refusing())  # type: ignore[arg-type]
    with pytest.raises(ProtocolError, match="'audio'"):
        engine.run(Message({"type": "generate"}), progress=lambda *_: None, cancelled=lambda: False)


def test_a_job_that_does_not_exist_is_refused() -> None:
    engine = ChoreographerEngine(Refusing())  # type: ignore[arg-type]
    message = request("analyse", "1", {"sample_rate_hz": RATE_HZ}, {"audio": clicks(3.0)})
    unknown = dataclasses.replace(message, header={**message.header, "type": "sing"})
    with pytest.raises(PirouetteError, match="'sing'"):
        engine.run(unknown, progress=lambda *_: None, cancelled=lambda: False)


def test_numbers_of_numpy_become_numbers_of_json() -> None:
    values = {
        "a": np.float32(0.5),
        "b": [np.int64(2), float("nan")],
        "c": {"d": np.array([1.0, np.inf])},
        "e": np.True_,
    }
    assert plain(values) == {"a": 0.5, "b": [2, None], "c": {"d": [1.0, None]}, "e": True}
