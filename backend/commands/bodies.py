"""``body``: what an SMPL file holds, before it is taken into Blender."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.errors import PirouetteError


def body(
    file: Annotated[Path, typer.Argument(help="Your own SMPL, SMPL-H or SMPL-X file, .npz or .pkl.")],
    betas: Annotated[str, typer.Option(help="Shape numbers with commas between, such as 1.5,-0.5.")] = "",
) -> None:
    """Check a body file without running anything in it, and tell how tall the body is in a shape."""
    from backend.bodies.body import shaped_body
    from backend.bodies.load import describe, load_body_model

    try:
        numbers = [float(number) for number in betas.split(",") if number.strip()]
    except ValueError as error:
        raise PirouetteError(
            "bad_request", f"“{betas}” are no shape numbers.", "Write 1.5,-0.5 for example."
        ) from error
    made = shaped_body(load_body_model(file), numbers)
    for name, value in describe(made.model).items():
        print(f"{name}: {value}")
    print(f"height: {float(made.vertices[:, 2].max()):.3f} m")
