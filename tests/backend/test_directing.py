"""The options that direct a dance: what they mean, and what is told where they mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.commands.directing import genre_and_prompt, key_pose_from, section_from, waypoint_from
from backend.directions import WHOLE_BODY, Directions, Part
from backend.editing.placing import heading
from backend.motion.motion import Motion
from backend.motion.skeleton import JOINT_NAMES
from tests.backend.stand_in import Run, StandIn, command_line_with_stand_in

JOINTS = {name: number for number, name in enumerate(JOINT_NAMES)}
NOT_JSON = "{0.5, 1.0"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in: a song of four seconds with a click every half second, and motions."""
    monkeypatch.chdir(tmp_path)
    seconds = np.arange(4 * 22050) / 22050
    clicks = np.sin(2 * np.pi * 220 * seconds) * np.exp(-30 * (seconds % 0.5))
    soundfile.write("song.wav", 0.5 * clicks, 22050)
    random = np.random.default_rng(3)
    for name, fps, frames in (("poses.npz", 30.0, 120), ("after.npz", 30.0, 40), ("fast.npz", 60.0, 121)):
        poses = 0.2 * random.normal(size=(frames, 24, 3)).astype("f4")
        np.savez(name, poses=poses, pelvis=random.normal(size=(frames, 3)).astype("f4"), fps=fps)
    np.savez("one.npz", poses=np.zeros((1, 24, 3), "f4"), pelvis=np.zeros((1, 3), "f4"), fps=30.0)
    Path("words.npz").write_text("no motion")
    contents = {
        "beats.json": [0.25 + 0.5 * number for number in range(8)],
        "late.json": [30.0, 30.5],
        "back.json": [1.0, 0.5],
        "same.json": [1.0, 1.01],
        "one.json": [1.0],
        "words.json": ["one", "two"],
        "object.json": {"beats": 3},
    }
    for name, values in contents.items():
        Path(name).write_text(json.dumps(values))
    Path("not.json").write_text(NOT_JSON)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    return command_line_with_stand_in(monkeypatch)


def asked(run: Run, *options: object) -> Directions:
    assert run("generate", "song.wav", *options, "--out", "dance.npz") == 0
    return StandIn.asked.directions


def test_without_options_nothing_is_fixed(run: Run) -> None:
    assert asked(run) == Directions()
    assert StandIn.asked.grid is None


def test_a_key_pose_is_a_frame_of_a_file_for_the_whole_body() -> None:
    key = key_pose_from("1.5=poses.npz:7")
    with np.load("poses.npz") as file:
        np.testing.assert_array_equal(key.pose, file["poses"][7])
        np.testing.assert_array_equal(key.pelvis, file["pelvis"][7])
    assert (key.time_s, key.joints, key.place, key.heading) == (1.5, WHOLE_BODY, False, False)


@pytest.mark.parametrize(
    ("what", "joints", "place", "heading"),
    [
        ("L_Hand,R_Hand", ("L_Hand", "R_Hand"), False, False),
        ("l_knee", ("L_Knee",), False, False),
        ("torso, heading", ("Spine1", "Spine2", "Spine3"), False, True),
        ("body,place", JOINT_NAMES, True, False),
        ("place,heading", (), True, True),
    ],
)
def test_what_a_key_pose_locks_is_told_behind_it(
    what: str, joints: tuple[str, ...], place: bool, heading: bool
) -> None:
    key = key_pose_from(f"1=poses.npz:0:{what}")
    assert key.joints == tuple(sorted(JOINTS[name] for name in joints))
    assert (key.place, key.heading) == (place, heading)


def test_hands_lock_the_arms_that_bring_them_where_they_are() -> None:
    joints = {JOINT_NAMES[joint] for joint in key_pose_from("1=poses.npz:0:hands").joints}
    assert {"L_Shoulder", "R_Elbow", "L_Hand"} <= joints
    assert not joints & {"Pelvis", "L_Knee", "Head"}


def test_a_path_may_hold_colons_and_equals_signs() -> None:
    folder = Path("a=b:c")
    folder.mkdir()
    Path("poses.npz").rename(folder / "poses.npz")
    assert key_pose_from("1=a=b:c/poses.npz:3:head").joints == (JOINTS["Neck"], JOINTS["Head"])


@pytest.mark.parametrize(("degrees", "facing"), [(0, (0, -1)), (90, (1, 0)), (-90, (-1, 0)), (180, (0, 1))])
def test_a_waypoint_faces_where_its_degrees_say(degrees: float, facing: tuple[float, float]) -> None:
    key = waypoint_from(f"2=1.5,-0.5,{degrees}")
    assert (key.place, key.heading, key.joints) == (True, True, ())
    np.testing.assert_allclose(key.pelvis[:2], [1.5, -0.5])
    yaw = heading(Motion(key.pose[None], key.pelvis[None], 30.0), 0)
    np.testing.assert_allclose([np.sin(yaw), -np.cos(yaw)], facing, atol=1e-6)
    assert not waypoint_from("2=1.5,-0.5").heading


def test_key_poses_waypoints_and_accents_come_in_the_order_of_time(run: Run) -> None:
    options = ("--key-pose", "3=poses.npz:0", "--waypoint", "2=1,0", "--key-pose", "1=poses.npz:5")
    directions = asked(run, *options, "--accent", 2.5, "--accent", 0.5)
    assert [key.time_s for key in directions.key_poses] == [1.0, 2.0, 3.0]
    assert directions.accents_s == (0.5, 2.5)


def test_a_dance_goes_on_from_a_motion_at_any_rate(run: Run) -> None:
    before = asked(run, "--continue-from", "fast.npz").before
    assert before is not None
    assert before.fps == 30.0
    assert before.frames == 61
    with np.load("fast.npz") as file:
        np.testing.assert_allclose(before.pelvis[-1], file["pelvis"][-1], atol=1e-5)


def test_between_names_both_ends(run: Run) -> None:
    directions = asked(run, "--between", "poses.npz", "after.npz")
    assert directions.before is not None
    assert directions.after is not None
    assert (directions.before.frames, directions.after.frames) == (120, 40)


def test_sections_have_words_of_their_own(run: Run) -> None:
    sections = ("--section", '0:1.5:"breaking, a six-step"', "--section", "2::slow: very slow")
    directions = asked(run, *sections, "--genre", "House")
    assert directions.parts[0] == Part(0.0, 1.5, "breaking", "a six-step")
    assert (directions.parts[1].genre, directions.parts[1].prompt) == ("house", "slow: very slow")
    assert directions.parts[1].end_s == pytest.approx(4.0, abs=0.01)


def test_a_prompt_may_begin_with_a_genre_or_name_one() -> None:
    assert genre_and_prompt("hip hop, low and fast") == ("hip-hop", "low and fast")
    assert genre_and_prompt("salsa") == ("salsa", "")
    assert genre_and_prompt("quick salsa turns") == ("salsa", "quick salsa turns")
    assert genre_and_prompt("quick turns, then a jump") == ("", "quick turns, then a jump")
    assert section_from("1:2:jumps", duration_s=4.0) == Part(1.0, 2.0, "", "jumps")


def test_strategy_novelty_and_reuse_are_passed_on(run: Run) -> None:
    directions = asked(run, "--strategy", "coarse-to-fine", "--novelty", 0.5, "--reuse", "mirror")
    assert (directions.strategy, directions.novelty, directions.reuse) == ("coarse_to_fine", 0.5, "mirror")


def test_beats_of_a_file_replace_those_that_are_heard(run: Run) -> None:
    asked(run, "--beats", "beats.json")
    grid = StandIn.asked.grid
    assert grid is not None
    np.testing.assert_allclose(grid.beats_s, 0.25 + 0.5 * np.arange(8))
    assert grid.clear
    assert grid.tempo_bpm == pytest.approx(120.0)
    assert 1 <= grid.downbeat.sum() <= 4


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--key-pose", "poses.npz:7"), "“poses.npz:7” is no key pose. Write SECONDS=POSES.npz:FRAME"),
        (("--key-pose", "x=poses.npz:7"), "“x” in “x=poses.npz:7” is not a number."),
        (("--key-pose", "nan=poses.npz:7"), "“nan” in “nan=poses.npz:7” is not a number."),
        (("--key-pose", "1=poses.npz:120"), "poses.npz has no frame 120: its 120 frames are numbered from 0."),
        (("--key-pose", "1=gone.npz:0"), "gone.npz does not exist."),
        (("--key-pose", "1=words.npz:0"), "words.npz is not a motion file."),
        (("--key-pose", "1=poses.npz:0:tail"), "locks “tail”, which there is not. Choose body, hands"),
        (("--key-pose", "1=poses.npz:0:,"), "locks nothing."),
        (("--key-pose", "4.1=poses.npz:0"), "The key pose at 4.1 s lies outside the dance, which is 4.00 s long."),
        (("--key-pose", "-1=poses.npz:0"), "The key pose at -1 s lies outside the dance"),
        (("--key-pose", "1=poses.npz:0", "--key-pose", "1.01=poses.npz:9"), "Two key poses at 1.01 s lock the same."),
        (("--waypoint", "1=2"), "“1=2” is no waypoint. Write SECONDS=X,Y"),
        (("--waypoint", "1=2,3,4,5"), "is no waypoint."),
        (("--waypoint", "1=2,north"), "“north” in “1=2,north” is not a number."),
        (("--waypoint", "9=2,0"), "The waypoint at 9 s lies outside the dance"),
        (("--accent", "7"), "The accent at 7 s lies outside the dance"),
        (("--accent", "nan"), "An accent cannot be at nan seconds."),
        (("--section", "jumps"), "“jumps” is no section. Write START:END"),
        (("--section", "2:1:jumps"), "The section from 2 s to 1 s holds no moment."),
        (("--section", "2:9:jumps"), "The section from 2 s to 9 s ends after the dance, which is 4.00 s long."),
        (("--section", "0:2:jumps", "--section", "1:3:turns"), "start at 0 s and 1 s lie over each other."),
        (("--section", '1:2:""'), "has no prompt."),
        (("--beats", "gone.json"), "gone.json cannot be read: No such file"),
        (("--beats", "not.json"), "not.json is not JSON"),
        (("--beats", "words.json"), "words.json holds no list of beats."),
        (("--beats", "object.json"), "object.json holds no list of beats."),
        (("--beats", "one.json"), "one.json: 1 beats are too few to dance to."),
        (("--beats", "back.json"), "back.json: The beat at 0.5 s comes after the one at 1 s."),
        (("--beats", "same.json"), "same.json: The beats at 1 s and 1.01 s are nearer than 0.1 s."),
        (("--beats", "late.json"), "late.json: no beat lies in the dance, which is 4.00 s long."),
        (("--continue-from", "gone.npz"), "gone.npz does not exist."),
        (("--continue-from", "one.npz"), "One frame is too short to go on from or to arrive at."),
        (
            ("--continue-from", "poses.npz", "--between", "poses.npz", "after.npz"),
            "either --continue-from or --between",
        ),
        (("--between", "poses.npz", "words.npz"), "words.npz is not a motion file."),
        (("--strategy", "backwards"), "There is no strategy “backwards”. Choose sequential, bidirectional,"),
        (("--novelty", "1.5"), "A novelty of 1.5 is not between 0 and 1."),
        (("--novelty", "nan"), "A novelty of nan is not between 0 and 1."),
        (("--reuse", "shuffle"), "Nothing can be reused by “shuffle”. Choose none, repeat, mirror."),
        (("--reuse", "repeat", "--strategy", "sequential"), "only in a dance made coarse to fine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_before_the_models_load(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr(StandIn, "__init__", None)  # nobody may get as far as loading models
    assert run("generate", "song.wav", *options, "--out", "dance.npz") == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]
    assert not Path("dance.npz").exists()
