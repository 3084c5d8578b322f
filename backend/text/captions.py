"""The many ways to ask for a clip: paraphrases of a training caption, in the words of animators.

A model that has heard only one sentence for a clip obeys only that sentence; it is trained on all of these by turns,
and `prompt_sentence` puts an animator's genre and text into the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.text.vocabulary import EVERYDAY_WORDS, Genre, genre_in_text, load_vocabulary, resolve_genre
from backend.text.words import plain

# What captions say about a clip, and how an animator asks for it: (pattern, wordings).
ATTRIBUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"quick pace|\bfast\b|energetic", ("fast", "quick and energetic")),
    (r"slow pace|\bslow(ly)?\b(?! (waltz|foxtrot))", ("slow", "slow and calm")),
    (r"full turns?|\bturns\b|\bpirouette|\bwhirl|\bspin", ("turns", "spinning round")),
    (r"many full turns|(three|four|five|six|seven|eight) full turns", ("many turns", "lots of spins")),
    (r"raised arms|arms held high|arms? raised", ("raised arms", "arms up")),
    (r"high kicks|kicking|\bkicks\b", ("kicks", "high kicks")),
    (r"deep knee bends|\bsquat|bent knees|low bends|deep bends", ("deep knee bends", "low and bent knees")),
    (r"\bjumps?\b|\bleaps?\b|\bhops?\b", ("jumps", "jumping")),
    (r"travelling across|across the floor|travels", ("travelling across the floor", "covering ground")),
    (r"on the spot|in place", ("on the spot", "staying in place")),
    (r"forward-and-back", ("steps forward and back",)),
    (r"side-to-side|side steps|sideways steps", ("steps from side to side",)),
    (r"steps in all directions", ("steps in all directions",)),
    (r"hip action|hip sway|swaying hips|hip pops", ("hips", "swaying hips")),
    (r"\blunges?\b", ("lunges", "deep lunges")),
    (r"floor work|down to the floor|on the floor|hands on the floor", ("floor work", "down on the floor")),
    (r"sharp|arm hits", ("sharp accents",)),
    (r"\bpose\b|stops?\b", ("striking poses",)),
    (r"balance|arabesque", ("balances",)),
    (r"closed-hold", ("in closed hold",)),
)
_OPENINGS = re.compile(
    r"^(?:(?:a|the) (?:man|woman|dancer|person) "
    r"(?:dances|performs|does|opens|ends|enters|strikes|improvises|makes)\b|acting like|miming:|cartoon style:)\s*",
    re.IGNORECASE,
)
_DETAIL = re.compile(r"with |mostly |at an? |travelling")
_GERUND = re.compile(r"\w{4,}ing")  # breaking and popping, not swing


@dataclass(frozen=True)
class CaptionParts:
    """A caption taken apart. head: what is danced; details: its ", with ..." clauses; asked: wordings of attributes."""

    head: str
    details: tuple[str, ...]
    asked: tuple[tuple[str, ...], ...]


def caption_paraphrases(row: Mapping[str, Any]) -> list[str]:
    """Ten or more different prompts that the clip answers, the caption itself first; always the same for a row.

    row: of a motion manifest; `genre`, `caption` and `dance` are read, and `figures` where they are words.
    """
    caption = _tidy(str(row["caption"]))
    parts = take_apart(caption)
    figures = [str(figure).lower() for figure in row.get("figures") or () if _is_words(str(figure))]
    if row["dance"]:
        genre = load_vocabulary().genre_of_data(str(row["genre"]))
        prompts = _dance_prompts(genre, caption, parts, figures)
    else:
        prompts = _general_prompts(str(row["genre"]), caption, parts)
    different: dict[str, str] = {}
    for prompt in map(_tidy, prompts):
        different.setdefault(plain(prompt), prompt)
    return [prompt for words, prompt in different.items() if words]


def prompt_sentence(genre: str, text: str) -> str:
    """The sentence to encode for an animator's genre and free text, in the form that training uses; "" for neither.

    The text stands alone where it names a genre itself. Raises PirouetteError unknown_genre.
    """
    wish = " ".join(text.split())
    if not genre.strip():
        return wish
    spoken = _spoken(resolve_genre(genre))
    if not wish:
        return spoken
    return wish if genre_in_text(wish) == resolve_genre(genre) else f"{spoken}, {wish}"


def take_apart(caption: str) -> CaptionParts:
    """The head, the details and the attributes of a caption."""
    clauses = [clause.strip() for clause in caption.rstrip(".").split(", ")]
    first_detail = next(
        (i for i, c in enumerate(clauses) if i and re.match(r"with |mostly |at an? |travelling", c)), None
    )
    cut = len(clauses) if first_detail is None else first_detail
    asked = tuple(wordings for pattern, wordings in ATTRIBUTES if re.search(pattern, caption, re.IGNORECASE))
    return CaptionParts(", ".join(clauses[:cut]), tuple(clauses[cut:]), asked)


def mirrored_caption(caption: str) -> str:
    """The caption of the mirrored clip: left and right change places."""
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    return re.sub(r"\b(left|right|Left|Right)(?=\b|wards?\b)", lambda found: swap[found[0]], caption)


def _dance_prompts(genre: Genre, caption: str, parts: CaptionParts, figures: Sequence[str]) -> list[str]:
    spoken = _spoken(genre)
    noun = spoken if "dance" in spoken or _GERUND.fullmatch(spoken) else f"{spoken} dance"
    bare = _without_genre(parts.head, genre)
    first = [wordings[0] for wordings in parts.asked]
    movements = [movement for movement in genre.movements if movement.named_in(caption)]
    return [
        caption,
        genre.name,
        spoken,
        noun,
        f"{noun}, solo" if "partner" not in caption.lower() else f"partner {noun}",
        f"a dancer performs {noun}",
        f"{genre.name} choreography",
        f"dance some {genre.name} to this song",
        f"a {genre.name} routine",
        *_fitting_paraphrases(genre, caption, parts),
        parts.head,
        *((bare, f"{spoken}, {bare}", ", ".join((bare, *parts.details))) if bare else ()),
        *(f"{spoken}, {wording}" for wordings in parts.asked for wording in wordings),
        *(f"{wish} {noun}" for wish in first if wish in ("fast", "slow")),
        *((f"{spoken}, {', '.join(first)}", ", ".join(w[-1] for w in parts.asked)) if len(first) > 1 else ()),
        *(f"{spoken}, {movement.name}" for movement in movements),
        *(f"{movement.name}: {movement.description}" for movement in movements),
        *(f"{spoken}, {figure}" for figure in figures),
    ]


def _fitting_paraphrases(genre: Genre, caption: str, parts: CaptionParts) -> list[str]:
    """The genre's paraphrases that promise nothing the clip's caption does not say."""
    said = {movement.name for movement in genre.movements if movement.named_in(caption)}
    return [
        paraphrase
        for paraphrase in genre.paraphrases
        if set(take_apart(paraphrase).asked) <= set(parts.asked)
        and {movement.name for movement in genre.movements if movement.named_in(paraphrase)} <= said
    ]


def _general_prompts(label: str, caption: str, parts: CaptionParts) -> list[str]:
    kind = label.removeprefix("general:").strip()
    kind = "" if kind == "other" else kind
    action = _OPENINGS.sub("", parts.head)
    action = re.sub(r"\s*\(([^)]*)\)$", lambda found: f", {_words_of(found[1])}", action).strip(" ,")
    action = _uncapital(action) if _is_words(action) else kind
    return [
        caption,
        parts.head,
        action,
        f"a person: {action}",
        f"{action}, not dancing",
        f"everyday movement, {action}",
        f"no dance, {action}",
        f"act out: {action}",
        f"animate this: {action}",
        f"somebody doing this: {action}",
        f"{action}, no music",
        f"the character does this: {action}",
        f"plain movement, {action}",
        *((kind, f"{kind}, {action}", f"{kind} movement") if kind else ()),
        *(f"{action}, {wording}" for wordings in parts.asked for wording in wordings),
    ]


def _spoken(genre: Genre) -> str:
    """The genre as one says it in a prompt: a name that is an everyday word too gets "dance" beside it."""
    everyday = genre.name in EVERYDAY_WORDS and not _GERUND.fullmatch(genre.name)
    return f"{genre.name} dance" if everyday else genre.name


def _without_genre(head: str, genre: Genre) -> str:
    """What the caption's head says beside the name of its genre, or "" when nothing is left."""
    said = re.sub(r"\s*\([^)]*\)|,? (?:at )?(?:about )?\d+ bpm", "", _OPENINGS.sub("", head))
    longest_first = sorted(genre.names, key=len, reverse=True)
    alternatives = "|".join(re.escape(name).replace(r"\ ", "[ -]") for name in longest_first)
    name = rf"(?<![\w-])(?:an? |solo )*(?:{alternatives})(?![\w-])(?: (?:dance|dancing|choreography|routine))?"
    before, found, after = _split_at(name, said)
    if found and (not after or re.match(r",|(with|that|alone|and|from)\b", after)):
        before = ""
    bare = re.sub(r"^(?:with|that|and)\b|^an?$", "", f"{before} {after}".strip(" ,:")).strip(" ,:")
    return _uncapital(bare) if len(bare.split()) > 1 else ""


def _split_at(pattern: str, text: str) -> tuple[str, bool, str]:
    found = re.search(pattern, text, re.IGNORECASE)
    return (text[: found.start()].strip(), True, text[found.end() :].strip()) if found else (text, False, "")


def _words_of(name: str) -> str:
    """``ForwardKarate`` is forward karate; a bare number of a move says nothing and goes."""
    if re.fullmatch(r"(Short)?Move\d*", name):
        return ""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _is_words(figure: str) -> bool:
    return re.search(r"[A-Za-z]{3}", figure) is not None


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,")
