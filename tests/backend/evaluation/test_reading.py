"""Does it read, and does a dance fit its words and music: on dancers and a judge whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.compare import Row
from backend.evaluation.generated_set import HeardSong
from backend.evaluation.generators import Wish
from backend.evaluation.meaning import heard, meaning_rows, paired, said
from backend.evaluation.reading import (
    READ_S,
    SONGS,
    Named,
    Names,
    distances,
    named,
    prompted_dances,
    read_real,
    reading,
    well_known,
)
from backend.evaluation.retrieval import r_precision
from backend.evaluation.verdicts import Judged, Verdict, verdicts
from backend.evaluation.windows import NO_BEATS, Danced, piece, windows_of
from backend.motion.motion import Motion
from backend.motion.skeleton import FPS
from backend.music.audio import Audio
from backend.music.beats import BeatGrid
from backend.music.features import MusicFeatures

GENRES = ("pop", "rumba", "salsa", "social", "indian classical", "tango")
ASKED = ("salsa", "pop", "social", "indian classical", "rumba")


def dance_of(genre: str, *, seed: int = 0, duration_s: float = READ_S) -> Motion:
    """A body whose place says its genre and whose height says its seed."""
    frames = round(duration_s * FPS)
    pelvis = np.tile([float(GENRES.index(genre)), 0.0, 1.0 + 0.1 * seed], (frames, 1))
    return Motion(np.zeros((frames, 24, 3)), pelvis, FPS)


class Judge:
    """Reads the genre from the place; takes rumba for tango, but for rumba next."""

    genres = GENRES
    version = "by hand"

    def embed_motion(self, motion: Motion) -> np.ndarray:
        seed = np.array([motion.pelvis[0, 2] - 1.0])
        return np.concatenate([np.eye(len(GENRES))[round(float(motion.pelvis[0, 0]))], seed])

    def embed_rhythm(self, motion: Motion) -> np.ndarray:
        return np.array([motion.pelvis[:, 2].mean(), 0.0])

    def embed_text(self, sentence: str) -> np.ndarray:
        return np.append(np.eye(len(GENRES))[next(i for i, g in enumerate(GENRES) if g in sentence.lower())], 0.0)

    def embed_channels(self, channels: np.ndarray) -> np.ndarray:
        return np.array([channels[:, 7].mean(), 0.0])

    def genre_chances(self, motion: Motion) -> np.ndarray:
        chances = 0.5 * self.embed_motion(motion)[:-1]
        chances[GENRES.index("tango")] += chances[GENRES.index("rumba")] * 1.5
        return chances


class Dancer:
    """Dances what is asked, or with deaf ears salsa."""

    version = "1"

    def __init__(self, *, deaf: bool = False) -> None:
        self.deaf, self.wishes, self.lengths = deaf, list[Wish](), set[float]()

    def dance(self, audio: Audio, wish: Wish) -> Motion:
        self.wishes.append(wish)
        self.lengths.add(audio.duration_s)
        return dance_of("salsa" if self.deaf else wish.genre, seed=wish.seed)


def songs(count: int) -> list[HeardSong]:
    grid = BeatGrid(np.arange(40) / 2.0, np.arange(40) % 4 == 0, 120.0, 4, True)
    return [HeardSong(f"song_{n}", Audio(np.zeros(20 * 22050, np.float32), 22050), grid) for n in range(count)]


def real() -> list[Danced]:
    return [Danced(f"{genre}_real", dance_of(genre), NO_BEATS, genre=genre) for genre in GENRES]


def lines(judged: Judged) -> dict[str, Verdict]:
    found = verdicts(list[Row](), judged)
    return {each.asked.split(" in at least")[0]: each for each in found}


def test_every_genre_with_minutes_is_danced_with_every_seed_to_the_same_songs() -> None:
    dancer = Dancer()
    made = prompted_dances(dancer, songs(9), ASKED, seeds=2, tell=lambda _: None)
    assert len(made) == SONGS * 2 * len(ASKED)
    assert dancer.lengths == {READ_S}
    assert {each.song for each in made} == {"song_0", "song_2", "song_5", "song_8"}
    assert len({each.dance for each in made}) == len(made)
    assert set(well_known(Judge())) == set(ASKED)


def test_dancer_who_does_as_prompted_reads() -> None:
    made = prompted_dances(Dancer(), songs(1), ASKED, seeds=2, tell=lambda _: None)
    read = reading(Judge(), made, read_real(Judge(), real()))
    assert read.generated is not None
    assert read.generated.share() == pytest.approx(0.8)  # rumba is taken for tango
    assert read.generated.share_among() == 1.0
    assert read.generated.confusion()["rumba"] == {"tango": 2}
    assert read.distances is not None
    assert read.distances.prompts == pytest.approx(2**0.5)
    assert read.distances.seeds == pytest.approx(0.1)
    judged = lines(Judged(reading=read))
    assert judged["the classifier names the prompted genre"].reached is True
    assert (
        judged["the classifier names the prompted genre"].measured == "80% of 6 genres, 100% of the 5 asked, real 80%"
    )
    assert judged["a changed prompt moves the dance more than a changed seed"].reached is True


def test_dancer_who_does_not_listen_to_words_does_not_read() -> None:
    made = prompted_dances(Dancer(deaf=True), songs(2), ASKED, seeds=3, tell=lambda _: None)
    read = reading(Judge(), made, read_real(Judge(), real()))
    assert read.generated is not None
    assert read.generated.share() == pytest.approx(1 / len(ASKED))
    judged = lines(Judged(reading=read))
    assert judged["the classifier names the prompted genre"].reached is False
    assert judged["a changed prompt moves the dance more than a changed seed"].reached is False


def test_what_was_not_prompted_or_has_one_seed_is_not_judged() -> None:
    judged = lines(Judged(reading=read_real(Judge(), real())))
    assert judged["the classifier names the prompted genre"].reached is None
    assert judged["a changed prompt moves the dance more than a changed seed"].reached is None
    made = prompted_dances(Dancer(), songs(1), ASKED, seeds=1, tell=lambda _: None)
    apart = distances(made, np.stack([Judge().embed_motion(each.motion) for each in made]))
    assert apart.seeds is None
    assert apart.prompt_moves_more is None


def test_dances_of_other_songs_are_not_compared() -> None:
    made = [Danced(f"{n}", dance_of("salsa"), NO_BEATS, genre="salsa", seed=n, song=f"song_{n}") for n in range(3)]
    assert distances(made, np.eye(3)).seeds is None


def test_real_dances_are_named_in_pieces_and_unknown_genres_left_out() -> None:
    long = Danced("long", dance_of("pop", duration_s=35.0), NO_BEATS, genre="pop")
    unknown = Danced("krump", dance_of("pop"), NO_BEATS, genre="krump")
    read = read_real(Judge(), [long, unknown])
    assert [each.dance for each in read.real.dances] == ["long@0", "long@15", "long@30"]
    assert read.plain()["real"]["by_genre"] == {"pop": 1.0}
    assert read.plain()["generated"] is None
    assert read_real(Judge(), []).real.share() is None


def test_shares_and_confusion_count_every_dance() -> None:
    names = Names(
        (
            Named("a", "salsa", "salsa", "salsa"),
            Named("b", "salsa", "tango", "salsa"),
            Named("c", "pop", "salsa", "social"),
            Named("d", "pop", "tango", "pop"),
            Named("e", "tango", "tango", ""),
        )
    )
    assert (names.share(), names.share_among()) == (0.4, 0.75)
    assert names.confusion() == {
        "salsa": {"salsa": 1, "tango": 1},
        "pop": {"salsa": 1, "tango": 1},
        "tango": {"tango": 1},
    }
    assert names.of(["pop"]).share() == 0.0
    assert names.of(["tango"]).share_among() is None
    assert named(Judge(), [], among=ASKED).dances == ()


def loud(level: float, *, second_half: float | None = None) -> MusicFeatures:
    """Twenty seconds of a song of one loudness, or of two."""
    energy = np.full((600, 2), level, np.float32)
    energy[300:] = level if second_half is None else second_half
    grid = BeatGrid(np.arange(40) / 2.0, np.arange(40) % 4 == 0, 120.0, 4, True)
    return MusicFeatures(np.zeros((600, 35), np.float32), energy, grid)


def test_dances_that_fit_their_words_are_found_and_those_dealt_anew_are_not() -> None:
    fitting = [piece(each, 0.0, 10.0) for each in real() * 3]
    matched = said(Judge(), fitting)
    assert matched is not None
    np.testing.assert_array_equal(matched.motions, matched.conditions)
    swapped = [Danced(w.whole.dance, w.motion, NO_BEATS, genre=GENRES[(n + 1) % 6]) for n, w in enumerate(fitting)]
    wrong = [piece(each, 0.0, 10.0) for each in swapped]
    rows = {row.metric: row for row in meaning_rows(Judge(), fitting, wrong, {}, rng=np.random.default_rng(0))}
    precise, by_chance = rows["r_precision_text"], rows["r_precision_chance_text"]
    assert precise.real is not None
    assert precise.generated is not None
    assert by_chance.real is not None
    assert precise.real.middle == 1.0
    assert by_chance.real.middle < 0.7
    assert precise.generated.middle < 0.7
    distance = rows["mm_distance_text"]
    assert distance.real is not None
    assert distance.generated is not None
    assert (distance.real.middle, distance.generated.middle) == (0.0, pytest.approx(2**0.5))
    assert "r_precision_music" not in rows


def test_dances_that_share_their_words_are_no_rivals() -> None:
    rng = np.random.default_rng(0)
    words = np.tile(rng.normal(size=(1, 128)), (20, 1))
    assert r_precision(rng.normal(size=(20, 128)), words, generator=rng) == 1.0


def test_dance_is_held_against_the_seconds_of_the_song_it_was_danced_to() -> None:
    made = [Danced(f"d{n}", dance_of("pop", duration_s=20.0), NO_BEATS, song="song") for n in range(2)]
    windows = [window for each in made for window in windows_of(each)]
    matched = heard(Judge(), windows, {"song": loud(0.25, second_half=0.75)})
    assert matched is not None
    np.testing.assert_allclose(matched.conditions[:, 0], [0.25, 0.75, 0.25, 0.75])


def test_real_dances_are_paired_with_songs_where_they_have_a_beat() -> None:
    beats = np.arange(1, 20) / 2.0
    dances = [Danced(f"d{n}", dance_of("pop", duration_s=10.0), beats, genre="pop") for n in range(4)]
    dances.append(Danced("none", dance_of("pop", duration_s=10.0), NO_BEATS, genre="pop"))
    windows = [window for each in dances for window in windows_of(each)]
    matched = paired(Judge(), windows, {"song": loud(0.5)}, rng=np.random.default_rng(0))
    assert matched is not None
    np.testing.assert_allclose(matched.conditions[:, 0], [0.5] * 4)
    assert paired(Judge(), windows, {}, rng=np.random.default_rng(0)) is None
