"""``evaluate-codec``: how well codes hold real dances."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from backend.commands.checks import check_folder


def evaluate_codec(
    data: Annotated[Path, typer.Option(help="A dance library, an AIST++ folder or an AMASS folder: the real dances.")],
    out: Annotated[Path, typer.Option(help="Folder for codec.json and exchange.svg.")],
    split: Annotated[str, typer.Option(help="The real dances to use: train, valid or test.")] = "test",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Folder of weights; the bundled ones by default.")] = None,
) -> None:
    """Encode and decode real dances, exchange their codes, and measure what is left."""
    check_folder(data)
    from backend.choreographer import Choreographer
    from backend.evaluation.codec_quality import codec_quality, write_codec_quality

    out.mkdir(parents=True, exist_ok=True)
    quality = codec_quality(Choreographer(device=device, weights=weights), data, split, picture=out / "exchange.svg")
    write_codec_quality(quality, out / "codec.json")
    for name, value in asdict(quality).items():
        shown = " ".join(f"{each:.2f}" for each in value) if isinstance(value, tuple) else f"{value:.4g}"
        print(f"{name}: {shown}")
    print(f"{out / 'codec.json'}: the figures; {out / 'exchange.svg'}: sections with exchanged codes", file=sys.stderr)
