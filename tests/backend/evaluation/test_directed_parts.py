"""Parts of the judgement of directed dances, with directors whose dances are known by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from backend.directions import STRATEGIES
from backend.evaluation.directed import beats, between, continuing, key_poses, long_dances, long_tables
from backend.evaluation.directed.director import Asked, Made
from backend.evaluation.directed.ground import Ground, spread
from backend.evaluation.directed.parts import Found, Part
from backend.evaluation.verdicts import Verdict
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from tests.backend.evaluation.directors import Wild, library_of, on_beats


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = library_of(tmp_path_factory.mktemp("library"), (24.0, 26.0, 12.0, 6.0))
    return Ground(folder, folder, seeds=2)


def judged(part: Part, found: Found) -> dict[str, Verdict]:
    return {verdict.asked: verdict for verdict in part.show(found).verdicts}


def line(verdicts: dict[str, Verdict], *words: str) -> Verdict:
    (found,) = [verdict for asked, verdict in verdicts.items() if all(word in asked for word in words)]
    return found


def quiet(_: str) -> None:
    """Nobody needs to be told."""


def test_key_poses_that_are_met_and_those_that_are_not(ground: Ground) -> None:
    verdicts = judged(key_poses.PART, key_poses.find(Wild(), ground, quiet))
    one = "one dance: "
    assert line(verdicts, one + "KPD under 1 cm").reached
    assert line(verdicts, one + "joint angles").reached
    assert line(verdicts, one + "place within").reached
    assert (
        line(verdicts, one + "before the final pass KPD at most").reached is False
    )  # without the pass it dances as it likes
    deaf = judged(key_poses.PART, key_poses.find(Wild(obedient=False), ground, quiet))
    assert line(deaf, one + "KPD under 1 cm").reached is False
    assert line(deaf, "poses: KPD under 1 cm").reached is False
    assert line(deaf, one + "place within").reached is False
    assert line(deaf, one + "beat lift").reached  # it is the very dance


def test_pose_that_is_snapped_to_is_a_speed_spike(ground: Ground) -> None:
    found = key_poses.find(Wild(), ground, quiet)
    spike = line(judged(key_poses.PART, found), "one dance: no speed spike")
    assert spike.reached is False
    tame = [replace_peaks(case, 0.1) for case in found["cases"]]
    assert line(judged(key_poses.PART, found | {"cases": tame}), "one dance: no speed spike").reached


def replace_peaks(case: Found, peak_m_s: float) -> Found:
    return case | {"after": case["after"] | {"peak_m_s": [peak_m_s] * 5}}


def test_every_song_and_seed_is_asked_for_without_locks_before_and_after(ground: Ground) -> None:
    director = Wild()
    found = key_poses.find(director, ground, quiet)
    assert len(found["cases"]) == 2 * 2  # kinds and seeds, one song
    locked = [asked for asked in director.asked if asked.directions.key_poses]
    assert sum(asked.exact for asked in locked) == len(locked) / 2 == 4
    assert len(director.asked) - len(locked) == 2
    assert {len(asked.directions.key_poses) for asked in locked} == {5}


@dataclass
class Dancer(Wild):
    """Stops on every beat that it is told, or, deaf, on those of the first dance."""

    deaf: bool = False
    first: np.ndarray | None = None

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """A swing that stops on beats."""
        assert asked.grid is not None
        self.first = asked.grid.beats_s if self.first is None else self.first
        beats_s = self.first if self.deaf else asked.grid.beats_s
        return Made(on_beats(beats_s, round(audio.duration_s * FPS)))


def test_dance_that_follows_moved_beats_is_told_from_one_that_does_not(ground: Ground) -> None:
    found, deaf = (beats.find(Dancer(deaf=deaf), ground, quiet) for deaf in (False, True))
    follows = line(judged(beats.PART, found), "all beats moved")
    assert follows.reached
    assert follows.measured.startswith("100%")
    assert line(judged(beats.PART, deaf), "all beats moved").reached is False
    loss = line(judged(beats.PART, found), "beat loss")
    assert loss.reached is None
    losses = {beats.WITH: found["cases"], beats.WITHOUT: deaf["cases"]}
    assert line(judged(beats.PART, found | {"losses": losses}), "beat loss").reached
    swapped = {beats.WITH: deaf["cases"], beats.WITHOUT: found["cases"]}
    assert line(judged(beats.PART, found | {"losses": swapped}), "beat loss").reached is False


@dataclass
class Sleeper(Wild):
    """Goes on from the past, and stands still after ten seconds."""

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """Wild, then frozen."""
        motion = super().dance(audio, asked).motion
        poses, pelvis = motion.poses.copy(), motion.pelvis.copy()
        poses[300:], pelvis[300:] = poses[299:300], pelvis[299:300]
        return Made(Motion(poses, pelvis, FPS))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Continuations of twenty seconds."""
    monkeypatch.setattr(continuing, "SECONDS", 20.0)


@pytest.mark.usefixtures("short")
def test_continuation_that_falls_asleep_is_found_out(ground: Ground) -> None:
    director = Sleeper()
    found = continuing.find(director, ground, quiet)
    verdict = line(judged(continuing.PART, found), "freezing")
    assert verdict.reached is False
    assert "at most 100 %" in verdict.measured
    assert [len(case["frozen_pct"]) for case in found["cases"]] == [2] * 18
    awake = [case | {"frozen_pct": [case["frozen_pct"][0]] * 2} for case in found["cases"]]
    assert line(judged(continuing.PART, found | {"cases": awake}), "freezing").reached
    pasts = [asked.directions.before for asked in director.asked]
    assert len(pasts) == 3 * 3 * 2  # dances of 8 s or more, novelties, seeds
    real = {danced.motion.poses[-1].tobytes() for danced in ground.real}
    assert {past.poses[-1].tobytes() for past in pasts if past is not None} < real
    assert {past.frames for past in pasts if past is not None} == {300}


@pytest.mark.usefixtures("short")
def test_seam_and_diversity_of_continuations_are_judged(ground: Ground) -> None:
    found = continuing.find(Wild(), replace(ground, most_dances=2), quiet)
    jumps = [case | {"seam": {"speed_m_s": 99.0, "turn_m_s2": 1.0}} for case in found["cases"]]
    smooth = [case | {"seam": {"speed_m_s": 0.5, "turn_m_s2": 1.0}} for case in found["cases"]]
    assert line(judged(continuing.PART, found | {"cases": jumps}), "speed across").reached is False
    assert line(judged(continuing.PART, found | {"cases": smooth}), "speed across").reached
    assert all(each["kinetic"] > 0.0 for each in found["diversity"])
    rising, falling = (
        found | {"diversity": [each | {"kinetic": sign * each["novelty"]} for each in found["diversity"]]}
        for sign in (1.0, -1.0)
    )
    assert line(judged(continuing.PART, rising), "Div_k").reached
    assert line(judged(continuing.PART, falling), "Div_k").reached is False
    assert line(judged(continuing.PART, found | {"diversity": []}), "Div_k").reached is None


@dataclass
class Restorer(Wild):
    """Gives back what was there, whatever it is told; jumps in the middle where one-directional."""

    def dance(self, audio: Audio, asked: Asked) -> Made:
        """The kept dance."""
        told = asked.directions
        if told.kept is None:
            return super().dance(audio, asked)
        self.asked.append(asked)
        pelvis = told.kept.pelvis.copy()
        if told.strategy == "forward":
            pelvis[between.FIRST : between.LAST, 0] += 0.5
        return Made(Motion(told.kept.poses, pelvis, FPS))


def test_bidirectional_passages_are_held_against_one_directional_ones(ground: Ground) -> None:
    director = Restorer()
    found = between.find(director, ground, quiet)
    verdicts = judged(between.PART, found)
    assert line(verdicts, "bidirectional: speed across the seams no larger").reached
    assert line(verdicts, "bidirectional: hardest turn").reached
    cases = {(case["dance"], case["way"], case["seed"]): case for case in found["cases"]}
    name = ground.chosen(24.0)[0].dance
    real, restored, jumped = (
        cases[name, way, seed] for way, seed in (("real", None), ("bidirectional", 0), ("one-directional", 0))
    )
    assert restored["first"] == pytest.approx(real["first"])
    assert restored["after_moved_m"] == 0.0
    assert jumped["last"]["speed_m_s"] > real["last"]["speed_m_s"] + 5.0
    told = [asked.directions for asked in director.asked]
    assert {each.strategy for each in told} == {"", "forward", "sequential", "bidirectional"}
    assert {each.kept_frames for each in told if each.kept is not None} == {((0, 180), (540, 720))}
    assert sum(each.after is not None for each in told) == 4  # dances and seeds


def test_after_is_set_down_where_the_past_alone_leads(ground: Ground) -> None:
    found = between.find(Wild(walks_m_s=0.1), ground, quiet)
    alone = [case for case in found["cases"] if case["way"] == "the past alone"]
    wanted = [case for case in found["cases"] if case["way"] == "in-between"]
    assert all(case["after_moved_m"] == 0.0 for case in wanted)
    assert any(case["after_moved_m"] > 0.1 for case in alone)


@pytest.fixture(scope="module")
def long_found(ground: Ground) -> Found:
    """Two strategies, one seed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_dances, "STRATEGIES", STRATEGIES[:2])
        return long_tables.PART.find(Wild(), replace(ground, seeds=1), quiet)


def test_long_dances_are_measured_minute_by_minute_beside_real(long_found: Found) -> None:
    lengths = [dance["minutes"] for dance in long_found["strategies"]["sequential"]]
    assert lengths == [1, 3, 10]
    section = long_tables.PART.show(long_found)
    minutes, whole, growth = section.tables
    assert len(minutes.rows) == 3 * 2 + 1
    assert minutes.rows[-1][0] == whole.rows[-1][0] == "real dances"
    assert all(len(row) == len(table.head) for table in section.tables for row in table.rows)
    assert growth.rows[0][1:4] == ("1", "3", "10")
    assert len(section.figures) == 2


def test_cost_that_outgrows_the_length_is_found_out(ground: Ground, long_found: Found) -> None:
    assert line(judged(long_tables.PART, long_found), "sequential", "seconds grow").reached
    slow = {
        name: [dance | {"processor_s": dance["minutes"] ** 1.5} for dance in dances]
        for name, dances in long_found["strategies"].items()
    }
    grown = judged(long_tables.PART, long_found | {"strategies": slow})
    assert line(grown, "sequential", "seconds grow").reached is False


def test_things_are_chosen_from_everywhere() -> None:
    assert spread(list(range(10)), 4) == [0, 3, 6, 9]
    assert spread([1, 2], 4) == [1, 2]
    assert spread([1, 2], None) == [1, 2]
