"""Finding what to learn from: library, AIST++ and AMASS folders, songs, and sentences where nothing is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend.errors import PirouetteError
from backend.motion.sources import find_clips, find_songs

FIXTURES = Path(__file__).parents[2] / "fixtures" / "motion"


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def library(folder: Path, **row: object) -> Path:
    shutil.copy(FIXTURES / "sway.npz", folder / "sway.npz")
    base = {"id": "sway", "file": "sway.npz", "split": "test", "dance": True, "genre": "salsa", "caption": "A sway."}
    write_rows(folder / "motion.jsonl", [base | row])
    return folder


def aist(folder: Path, *names: str) -> Path:
    (folder / "motions").mkdir(parents=True)
    for name in names:
        shutil.copy(FIXTURES / "gBR_sBM_cAll_d04_mBR0_ch01.pkl", folder / "motions" / f"{name}.pkl")
    return folder


def test_library_rows_become_clips_that_load(tmp_path: Path) -> None:
    [clip] = find_clips(library(tmp_path, beats=[0.5, 1.0], meter=3, bpm=120.0))
    assert (clip.id, clip.split, clip.dance, clip.genre, clip.caption) == ("sway", "test", True, "salsa", "A sway.")
    assert clip.beats_s is not None
    np.testing.assert_array_equal(clip.beats_s, [0.5, 1.0])
    assert (clip.metre, clip.mirror_ok, clip.row["bpm"]) == (3, True, 120.0)
    assert clip.load().frames == 90


def test_unknown_beats_and_metre_are_none(tmp_path: Path) -> None:
    [clip] = find_clips(library(tmp_path, beats=None, meter=None))
    assert clip.beats_s is None
    assert clip.metre is None


def test_aist_names_tell_genre_music_and_dancer(tmp_path: Path) -> None:
    data = aist(tmp_path, "gBR_sBM_cAll_d04_mBR0_ch01", "gHO_sFM_cAll_d20_mHO3_ch11")
    break_clip, house_clip = find_clips(data)
    assert (break_clip.genre, break_clip.metre, break_clip.row["bpm"]) == ("break", 4, 80.0)
    assert (house_clip.genre, house_clip.row["bpm"], house_clip.row["subject"]) == ("house", 125.0, "d20")
    assert "advanced" in house_clip.caption
    assert break_clip.load().fps == 60.0


def test_aist_splits_are_followed_and_ignored_clips_left_out(tmp_path: Path) -> None:
    names = [f"gBR_sBM_cAll_d04_mBR0_ch{number:02}" for number in range(1, 6)]
    data = aist(tmp_path, *names)
    (data / "splits").mkdir()
    for split, members in (("train", names[:2]), ("val", names[2:3]), ("test", names[3:4])):
        (data / "splits" / f"crossmodal_{split}.txt").write_text("\n".join(members) + "\n")
    (data / "ignore_list.txt").write_text(names[0] + "\n")
    assert [(clip.id[-2:], clip.split) for clip in find_clips(data)] == [
        ("02", "train"),
        ("03", "valid"),
        ("04", "test"),
    ]


def test_aist_without_splits_keeps_the_takes_of_a_choreography_together(tmp_path: Path) -> None:
    data = aist(tmp_path, *[f"gPO_sBM_cAll_d{dancer:02}_mPO1_ch07" for dancer in range(10, 16)])
    assert len({clip.split for clip in find_clips(data)}) == 1


def test_aist_in_its_own_subfolder_is_found(tmp_path: Path) -> None:
    aist(tmp_path / "aist_plusplus_final", "gLO_sBM_cAll_d13_mLO2_ch02")
    [clip] = find_clips(tmp_path)
    assert clip.genre == "lock"


def test_amass_folder_gives_its_motions_and_not_its_body_shapes(tmp_path: Path) -> None:
    subject = tmp_path / "ACCAD" / "Female1Dance"
    subject.mkdir(parents=True)
    shutil.copy(FIXTURES / "sway_amass.npz", subject / "slow_dance_poses.npz")
    np.savez(subject / "shape.npz", betas=np.zeros(16))
    [clip] = find_clips(tmp_path)
    assert (clip.id, clip.dance, clip.caption) == ("ACCAD_Female1Dance_slow_dance_poses", True, "slow dance")
    assert clip.load().joints()[:, [10, 11], 2].min() == pytest.approx(0.02, abs=5e-3)


@pytest.mark.parametrize("find", [find_clips, find_songs])
def test_nothing_found_says_what_was_expected(tmp_path: Path, find) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PirouetteError) as empty:
        list(find(tmp_path))
    assert empty.value.code == "missing_file"
    assert "jsonl" in empty.value.hint
    with pytest.raises(PirouetteError, match="does not exist"):
        list(find(tmp_path / "nowhere"))


def test_broken_manifest_names_its_line(tmp_path: Path) -> None:
    library(tmp_path)
    with (tmp_path / "motion.jsonl").open("a") as file:
        file.write("{broken\n")
    with pytest.raises(PirouetteError, match="Line 2") as caught:
        list(find_clips(tmp_path))
    assert caught.value.code == "damaged_file"


def test_listed_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(PirouetteError, match="gone"):
        list(find_clips(library(tmp_path, file="gone.npz")))


def test_songs_carry_metre_and_tempo_where_known(tmp_path: Path) -> None:
    (tmp_path / "a.opus").write_bytes(b"")
    rows = [
        {"id": meter, "file": "a.opus", "split": "train", "meter": meter, "bpm": 98.5}
        for meter in ("3/4", "4/4", "2/4", "5/4", "unknown")
    ]
    write_rows(tmp_path / "music.jsonl", rows)
    songs = list(find_songs(tmp_path))
    assert [song.metre for song in songs] == [3, 4, 4, None, None]
    assert songs[0].bpm == 98.5
    assert songs[0].row["meter"] == "3/4"


def test_plain_folder_of_songs_is_found_with_a_lasting_split(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    for name in ("mBR2.wav", "wavs/My Song.mp3", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    songs = list(find_songs(tmp_path))
    assert [(song.id, song.bpm, song.metre) for song in songs] == [("mBR2", 100.0, 4), ("My Song", None, None)]
    assert songs == list(find_songs(tmp_path))
