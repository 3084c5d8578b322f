"""Sections of a new dance: one for each eight-count, and one for each part that has words of its own."""

from __future__ import annotations

from itertools import pairwise

from backend.dance import Section, sections_with
from backend.directions import Part

COUNTS = tuple(Section(f"{n}", 4.0 * n, 4.0 * n + 4.0, "salsa", "smooth", 7) for n in range(3))


def spans(sections: tuple[Section, ...]) -> list[tuple[float, float, str]]:
    return [(each.start_s, each.end_s, each.prompt) for each in sections]


def test_without_parts_sections_stay_as_they_are() -> None:
    assert sections_with(COUNTS, ()) == COUNTS


def test_a_part_is_a_section_with_its_words_and_the_rest_stays() -> None:
    found = sections_with(COUNTS, (Part(5.0, 9.0, "breaking", "footwork"),))
    assert spans(found) == [
        (0.0, 4.0, "smooth"),
        (4.0, 5.0, "smooth"),
        (5.0, 9.0, "footwork"),
        (9.0, 12.0, "smooth"),
    ]
    assert found[2].genre == "breaking"
    assert [each.name for each in found] == ["1", "2", "3", "4"]


def test_parts_side_by_side_leave_nothing_between() -> None:
    found = sections_with(COUNTS, (Part(6.0, 12.0, "", "b"), Part(0.0, 6.0, "", "a")))
    assert spans(found) == [(0.0, 6.0, "a"), (6.0, 12.0, "b")]


def test_slivers_join_their_neighbours() -> None:
    found = sections_with(COUNTS, (Part(0.2, 3.8, "", "a"), Part(7.9, 11.9, "", "b")))
    assert spans(found) == [(0.0, 4.0, "a"), (4.0, 7.9, "smooth"), (7.9, 12.0, "b")]


def test_sections_cover_the_dance_without_gaps() -> None:
    found = sections_with(COUNTS, (Part(1.0, 2.5, "", "a"), Part(3.0, 10.7, "", "b")))
    assert (found[0].start_s, found[-1].end_s) == (0.0, 12.0)
    assert all(earlier.end_s == later.start_s for earlier, later in pairwise(found))
