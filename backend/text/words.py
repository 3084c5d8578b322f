"""Plain comparisons of words: the same phrase however it is typed."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str) -> str:
    """Lower case without accents, apostrophes or punctuation; hyphens become spaces: ``Hip-Hop!`` is ``hip hop``."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare.replace("&", " and ").replace("'", "").replace("’", "")))


def position(phrase: str, text: str) -> int:
    """Where the words of `phrase` stand in `text` (both `plain`), or -1; the last word may be a plural."""
    if not phrase:
        return -1
    found = re.search(rf"(?<!\S){re.escape(phrase)}(?:s|es)?(?!\S)", text)
    return found.start() if found else -1


def names(phrase: str, text: str) -> bool:
    """Whether free text says the phrase, as whole words in any case, with or without hyphens and accents."""
    return position(plain(phrase), plain(text)) >= 0
