"""The library of movements: phrases of real dance as codes, searched by words, and the animator's own beside them.

``load_library`` opens it; ``add`` and ``remove`` keep an animator's own phrases; ``build`` makes the bundled ones from
training data.
"""

from backend.library.entry import Entry
from backend.library.own import add, remove
from backend.library.shelf import Library, load_library

__all__ = ["Entry", "Library", "add", "load_library", "remove"]
