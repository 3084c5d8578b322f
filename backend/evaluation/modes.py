"""Two ways to compute what the field's public code computes wrongly."""

from __future__ import annotations

from typing import Literal

Mode = Literal["fixed", "compat"]
"""``fixed``: the definition, for decisions. ``compat``: fault for fault, for tables beside published numbers."""
