"""The timeline's sound: what is mixed, and a clear sentence for everything that cannot be danced to."""

from __future__ import annotations

import resource
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from tests.addon.installed import RATE_HZ, add_sound, clicks, part, write_wav


def mixdown(first: int, last: int, *, strip: str = "") -> np.ndarray:
    """The mixdown of these frames: (N,) float32."""
    audio = part("scene.audio")
    work = audio.Mixdown(bpy.context.scene.name, audio.FrameRange(first, last), strip)
    for _ in work.steps():
        pass
    return work.sound.mono


def difference(found: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How far two sounds are apart, sample by sample; Blender may start one sample early or late."""
    count = min(len(found), len(expected)) - 4
    shifted = [np.abs(found[2 : count + 2] - expected[2 + lag : count + 2 + lag]) for lag in (-1, 0, 1)]
    return min(shifted, key=lambda apart: float(apart.mean()))


def refusal(**settings: Any) -> str:
    """The sentence with which Generate refuses; it must have changed nothing."""
    before = [len(kind) for kind in (bpy.data.objects, bpy.data.actions, bpy.data.armatures)]
    scene = bpy.context.scene
    for name, value in settings.items():
        setattr(scene.pirouette, name, value)
    ranges = (scene.frame_start, scene.frame_end, scene.use_preview_range)
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.pirouette.generate_dance()
    assert [len(kind) for kind in (bpy.data.objects, bpy.data.actions, bpy.data.armatures)] == before
    assert (scene.frame_start, scene.frame_end, scene.use_preview_range) == ranges
    assert len(scene.timeline_markers) == 0
    assert not part("core.session").SESSION.busy
    return str(caught.value)


# What is heard


def test_the_mixdown_is_the_songs_samples_over_exactly_the_range(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song, frame=1)
    found = mixdown(25, 144)
    expected = clicks(12.0)[RATE_HZ : 6 * RATE_HZ]
    assert len(found) == 5 * RATE_HZ
    assert difference(found, expected).max() < 2e-3


def test_trim_volume_and_a_second_strip_are_heard(scene: bpy.types.Scene, tmp_path: Path) -> None:
    quiet = add_sound(write_wav(tmp_path / "a.wav", clicks(10.0)), name="A")
    quiet.volume = 0.5
    add_sound(write_wav(tmp_path / "b.wav", clicks(5.0)), frame=121, channel=2, name="B")
    found = mixdown(1, 240)
    expected = 0.5 * clicks(10.0)
    expected[5 * RATE_HZ :] += clicks(5.0)
    assert np.sqrt(np.mean(difference(found, expected) ** 2)) < 0.01


def test_a_strip_as_source_is_heard_alone_and_the_others_are_heard_again_afterwards(
    scene: bpy.types.Scene, tmp_path: Path
) -> None:
    add_sound(write_wav(tmp_path / "a.wav", clicks(10.0)), name="A")
    other = add_sound(write_wav(tmp_path / "b.wav", np.ones(10 * RATE_HZ) * 0.3), channel=2, name="B")
    assert np.abs(mixdown(1, 240, strip="A") - clicks(10.0)).max() < 2e-3
    assert not other.mute


@pytest.mark.parametrize(("container", "codec", "suffix"), [("MP3", "MP3", "mp3"), ("OGG", "VORBIS", "ogg")])
def test_a_mixdown_in_pieces_equals_one_in_a_single_go(
    scene: bpy.types.Scene, tmp_path: Path, container: str, codec: str, suffix: str
) -> None:
    """Compressed files are read from the middle with an offset, which must not show as a seam."""
    source = add_sound(write_wav(tmp_path / "song.wav", clicks(20.0)))
    scene.frame_start, scene.frame_end = 1, 480
    packed = tmp_path / f"song.{suffix}"
    bpy.ops.sound.mixdown(filepath=str(packed), container=container, codec=codec, format="S16", mixrate=RATE_HZ)
    strips = getattr(scene.sequence_editor, "strips", None) or scene.sequence_editor.sequences
    strips.remove(source)
    add_sound(packed)
    whole_file = tmp_path / "whole.wav"
    bpy.ops.sound.mixdown(
        filepath=str(whole_file), container="WAV", codec="PCM", format="F32", mixrate=RATE_HZ, channels="MONO"
    )
    whole = part("core.wav").read_wav(whole_file).mono[: 20 * RATE_HZ]
    pieces = mixdown(1, 480)
    assert len(pieces) == len(whole)
    assert np.sqrt(np.mean(difference(pieces, whole)[:-2000] ** 2)) < 0.005


def test_sound_of_the_sequencers_own_scene_is_found(scene: bpy.types.Scene, song: Path) -> None:
    if "sequencer_scene" not in bpy.types.WorkSpace.bl_rna.properties:
        pytest.skip("before Blender 5.0 the sequencer shows the current scene")
    edit = bpy.data.scenes.new("Edit")
    edit.render.fps = 24
    strips = edit.sequence_editor_create().strips
    strips.new_sound("Song", str(song), 1, 1)
    bpy.context.workspace.sequencer_scene = edit
    assert part("scene.strips").music_scene(bpy.context) == edit
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active.type == "ARMATURE"


def test_no_step_of_a_long_mixdown_takes_long(
    scene: bpy.types.Scene, tmp_path: Path, timed_steps: Callable[..., list[float]]
) -> None:
    add_sound(write_wav(tmp_path / "long.wav", clicks(180.0, rate_hz=44100), rate_hz=44100))
    audio = part("scene.audio")
    steps_s = timed_steps(audio.Mixdown(scene.name, audio.FrameRange(1, 4320)).steps())
    assert len(steps_s) > 5
    assert np.median(steps_s) < 0.05


# What cannot be danced to


def test_no_sound_on_the_timeline(scene: bpy.types.Scene) -> None:
    assert "There is no sound on the timeline. Add a song first." in refusal()


def test_silence(scene: bpy.types.Scene, tmp_path: Path) -> None:
    add_sound(write_wav(tmp_path / "silence.wav", np.zeros(10 * RATE_HZ)))
    assert "silent" in refusal()


def test_a_third_of_a_second_of_sound(scene: bpy.types.Scene, tmp_path: Path) -> None:
    add_sound(write_wav(tmp_path / "blip.wav", clicks(0.3)))
    assert "only 0.3 s of sound" in refusal()


def test_a_range_of_half_a_second(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    scene.frame_end = 12
    assert "only 0.5 s of sound" in refusal()


def test_a_text_file_named_wav(scene: bpy.types.Scene, tmp_path: Path) -> None:
    path = tmp_path / "lyrics.wav"
    path.write_text("la la la " * 500)
    add_sound(path)
    assert "lyrics.wav is not sound that Blender can read" in refusal()


def test_a_missing_file_is_named(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    song.rename(song.with_name("elsewhere.wav"))
    sentence = refusal()
    assert "song.wav" in sentence
    assert "missing" in sentence


def test_a_file_cut_off_before_any_sound(scene: bpy.types.Scene, song: Path) -> None:
    song.write_bytes(song.read_bytes()[:30])
    add_sound(song)
    assert "song.wav is not sound that Blender can read" in refusal()


def test_a_file_cut_off_in_the_middle_is_danced_to_as_far_as_it_goes(scene: bpy.types.Scene, song: Path) -> None:
    song.write_bytes(song.read_bytes()[: 44 + 2 * 5 * RATE_HZ])
    strip = add_sound(song)
    assert part("scene.strips").strip_range(strip).frames == 120
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}


def test_a_file_cut_off_after_it_was_added_is_named(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    whole = song.read_bytes()
    song.write_bytes(whole[:30])
    assert "song.wav is damaged" in refusal()


@pytest.mark.parametrize("how", ["strip", "channel", "meta"])
def test_muted_sound(scene: bpy.types.Scene, song: Path, how: str) -> None:
    strip = add_sound(song)
    if how == "strip":
        strip.mute = True
    elif how == "channel":
        scene.sequence_editor.channels[1].mute = True
    else:
        strips = getattr(scene.sequence_editor, "strips", None) or scene.sequence_editor.sequences
        meta = strips.new_meta("Meta", 3, 1)
        strip.move_to_meta(meta)
        meta.mute = True
    assert "muted" in refusal()


def test_a_range_beside_the_song_says_where_the_song_is(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song, frame=1001)
    assert "“Song” lies at frames 1001 to 1288" in refusal()


def test_no_preview_range(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    assert "There is no preview range" in refusal(source="PREVIEW")


def test_no_strip_chosen_or_one_that_has_gone(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    assert "No sound strip is chosen" in refusal(source="STRIP")
    assert "no sound strip “Tune” any more" in refusal(strip="Tune")


def test_a_range_that_ends_before_it_starts(scene: bpy.types.Scene, song: Path) -> None:
    """Blender's own fields do not let one type it; a script or a strip may still ask for it."""
    add_sound(song)
    audio = part("scene.strips")
    with pytest.raises(part("core.errors").PirouetteError) as caught:
        audio.check_sound(scene, audio.FrameRange(100, 50))
    assert caught.value.message == "The range ends (frame 50) before it starts (frame 100)."


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond the limit, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    with full_disk(50_000):
        assert "There is no room to mix the sound" in refusal()
    temporary = Path(part("scene.audio")._temporary_folder())
    assert [path for path in temporary.iterdir() if path.name.startswith("pirouette-")] == []


def test_a_temporary_folder_that_goes_away_is_told(
    scene: bpy.types.Scene, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_sound(song)
    reserve = part("scene.audio")._reserve

    def reserve_once(path: Path, size: int) -> None:
        if path.parent.is_dir():
            path.parent.rmdir()
        else:
            reserve(path, size)

    monkeypatch.setattr(part("scene.audio"), "_reserve", reserve_once)
    sentence = refusal()
    assert "Blender could not mix the sound" in sentence or "There is no room" in sentence


def test_where_blenders_own_mixdown_writes_nothing_a_plain_mix_says_so(
    scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some distributions build Blender so that its mixdown finishes without a file."""
    add_sound(write_wav(tmp_path / "a.wav", clicks(10.0)), frame=25, name="A").volume = 0.5
    expected = mixdown(13, 120)
    monkeypatch.setattr(part("scene.audio"), "_blender_mixdown", lambda path, rate_hz: None)
    assert difference(mixdown(13, 120), expected).max() < 5e-3
    bpy.ops.pirouette.generate_dance()
    assert "mixed without" in scene.pirouette.last_warning


def test_an_unknown_genre(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    with pytest.raises(TypeError, match="polka"):
        scene.pirouette.genre = "polka"
    sentence = refusal(prompt="refuse")  # the stand-in backend knows no polka
    assert "There is no genre 'polka'." in sentence


def test_ranges_are_restored_when_a_mixdown_fails(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    scene.frame_start, scene.frame_end = 10, 200
    scene.use_preview_range = True
    scene.frame_preview_start, scene.frame_preview_end = 50, 100
    with full_disk(50_000):
        refusal()
    assert (scene.frame_start, scene.frame_end) == (10, 200)
    assert (scene.frame_preview_start, scene.frame_preview_end) == (50, 100)


def test_a_wave_of_the_mixdown_is_readable_by_others(scene: bpy.types.Scene, song: Path) -> None:
    with wave.open(str(song)) as file:
        assert part("core.wav").read_wav(song).samples.shape == (file.getnframes(), 1)


def test_an_animated_volume_is_heard(scene: bpy.types.Scene, tmp_path: Path) -> None:
    strip = add_sound(write_wav(tmp_path / "tone.wav", np.sin(np.arange(10 * RATE_HZ) * 0.1)))
    for frame, volume in ((1, 0.0), (240, 1.0)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    loudness = np.abs(mixdown(1, 240)).reshape(10, -1).max(axis=1)
    assert (np.diff(loudness) > 0.01).all()


def test_mixing_adds_nothing_to_the_file(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    bpy.ops.mesh.primitive_cube_add()
    mixdown(1, 240)
    assert [one.name for one in bpy.data.scenes] == ["Scene"]
    assert len(scene.objects) == 1
    with full_disk(50_000), pytest.raises(part("core.errors").PirouetteError):
        mixdown(1, 240)
    assert [one.name for one in bpy.data.scenes] == ["Scene"]
