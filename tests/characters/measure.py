"""A real dance on characters of every kind, measured where Blender shows their bones.

python -m tests.characters.measure [FOLDER] [--dances FOLDER] [--out REPORT.json] [--frames N] [--only WORDS]
    [--fewer-keys] [--ik]

Run it with a Python that has bpy, from the project's folder. FOLDER holds characters as .glb, .gltf, .fbx, .bvh or
.blend files; Rigify's human and basic characters and made-up ones are always measured. Nothing is helped along: the
bones are found by the add-on itself, and ``bpy.ops.pirouette.retarget()`` does the rest. The command prints a table and
ends with 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.characters.stage import Cast, Dance

DANCES = Path(__file__).resolve().parents[1] / "fixtures" / "dances"
SUFFIXES = (".glb", ".gltf", ".fbx", ".bvh", ".blend")
JOINTS = 22
TIMED_FRAMES, TIMED_RUNS = 1800, 3
KNEE_SHARE = 1.05  # a dance may itself be faster than nearly all real ones
IK_DEG = 10.0  # Blender's own solver finds knees and elbows, and feet are at their places
FEWER_KEYS_DEG = 2.0  # their own limit is half a centimetre
LIMB_DEG, SLIDE_CM_S, SLIDE_SHARE, PENETRATION_CM, SECONDS = 0.5, 1.0, 0.2, 1.0, 1.0
COLUMNS = (
    ("dance", "{:<17.16}", "dance"), ("character", "{:<22}", "character"), ("found by", "{:<18}", "found_by"),
    ("joints", "{:>6}", "joints"), ("wrong", "{:>5}", "wrong"), ("sides", "{:>5}", "sides"),
    ("limb °", "{:>6.2f}", "limb_error_deg"),
    ("slide", "{:>6.2f}", "slide_cm_s"), ("free", "{:>6.2f}", "slide_unlocked_cm_s"),
    ("knee °/s", "{:>8.0f}", "knee_deg_s"), ("dance's", "{:>7.0f}", "knee_dance_deg_s"),
    ("below cm", "{:>8.2f}", "penetration_cm"), ("mesh", "{:>5.2f}", "mesh_below_cm"),
    ("s/1800", "{:>6.2f}", "seconds"),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One dance on one character. wrong: bones that are not those of the truth; sides: "ok" or "wrong" """

    character: str
    dance: str
    bones: int
    found_by: str = ""
    joints: int = 0
    wrong: int = 0
    sides: str = "ok"
    limb_error_deg: float = 0.0
    slide_cm_s: float = 0.0
    slide_unlocked_cm_s: float = 0.0
    knee_deg_s: float = 0.0
    knee_dance_deg_s: float = 0.0
    penetration_cm: float = 0.0
    penetration_unlocked_cm: float = 0.0
    mesh_below_cm: float = 0.0
    seconds: float = 0.0
    fewer_keys: bool = False
    ik: bool = False
    failed: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def limb_bound_deg(self) -> float:
        """How far limbs may point away from the dance's."""
        return IK_DEG if self.ik and "Rigify" in self.found_by else FEWER_KEYS_DEG if self.fewer_keys else LIMB_DEG

    def missed(self) -> list[str]:
        """The bounds that it misses, in words."""
        from tests.characters.judging import REAL_KNEE_DEG_S

        if self.failed:
            return [self.failed]
        bounds = (
            (self.joints == JOINTS, f"{self.joints} of {JOINTS} joints"),
            (self.wrong == 0, f"{self.wrong} wrong bones"),
            (self.sides == "ok", "left and right exchanged"),
            (self.limb_error_deg < self.limb_bound_deg, f"limbs off by {self.limb_error_deg:.2f}°"),
            (self.slide_cm_s <= SLIDE_CM_S, f"feet slide {self.slide_cm_s:.2f} cm/s"),
            (
                self.slide_cm_s <= SLIDE_SHARE * self.slide_unlocked_cm_s,
                f"feet slide {self.slide_cm_s / max(self.slide_unlocked_cm_s, 1e-9):.0%} of what they do unlocked",
            ),
            (
                self.knee_deg_s <= max(REAL_KNEE_DEG_S, KNEE_SHARE * self.knee_dance_deg_s),
                f"knees at {self.knee_deg_s:.0f}°/s, {self.knee_dance_deg_s:.0f} in the dance",
            ),
            (self.penetration_cm <= PENETRATION_CM, f"soles {self.penetration_cm:.2f} cm below the floor"),
            (self.mesh_below_cm <= PENETRATION_CM, f"feet of the mesh {self.mesh_below_cm:.2f} cm below the floor"),
            (self.seconds < SECONDS, f"{self.seconds:.2f} s for {TIMED_FRAMES} frames"),
        )
        return [words for holds, words in bounds if not holds]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="characters to measure beside the made-up ones")
    parser.add_argument("--dances", type=Path, default=DANCES, help="dances as .npz files at 30 frames a second")
    parser.add_argument("--out", type=Path, help="where the report is written, as JSON")
    parser.add_argument("--frames", type=int, default=900, help="how much of each dance is watched")
    parser.add_argument("--only", default="", help="measure only characters with this in their names")
    parser.add_argument("--fewer-keys", action="store_true", help="with only the keys that the movement needs")
    parser.add_argument("--ik", action="store_true", help="with the IK controls of Rigify's characters")
    return parser.parse_args()


def main() -> int:
    """Measure, print, write; 1 where a bound is missed."""
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="pirouette-measure-") as user_folder:
        os.environ["BLENDER_USER_RESOURCES"] = user_folder  # bpy reads it when it is imported
        from tests.characters import stage

        stage.install()
        rows = []
        for path in sorted(asked.dances.glob("*.npz")):
            dance = stage.read_dance(path, frames=asked.frames)
            for row in measured(asked, dance):
                rows.append(row)
                print(line(row), flush=True)
    print("\n".join(["", " ".join(_padded(title, form) for title, form, _ in COLUMNS), *map(line, rows)]))
    if asked.out is not None:
        report = {"rows": [asdict(row) | {"missed": row.missed()} for row in rows]}
        asked.out.write_text(json.dumps(report, indent=2), encoding="utf-8")
    return 1 if not rows or any(row.missed() for row in rows) else 0


def _padded(title: str, form: str) -> str:
    return (form.split(".")[0].rstrip("}") + "}").format(title)


def line(row: Row) -> str:
    """As one line of the table."""
    shown = " ".join(form.format(getattr(row, name)) for _, form, name in COLUMNS)
    return "  <- ".join([shown, *([", ".join(row.missed())] if row.missed() else [])])


def measured(asked: argparse.Namespace, dance: Dance) -> Iterator[Row]:
    """A dance on every character, each in a scene of its own."""
    from tests.characters import stage

    for name, cast in _casts(asked.folder):
        if asked.only.lower() not in name.lower():
            continue
        stage.new_scene(dance)
        try:
            for one in cast():
                yield measure(one, dance, fewer_keys=asked.fewer_keys, ik=asked.ik)
        except Exception as error:  # noqa: BLE001  told in the table: the others are measured all the same
            yield Row(name, dance.name, 0, failed=f"{type(error).__name__}: {error}")


def _casts(folder: Path | None) -> Iterator[tuple[str, Any]]:
    """Name of each character, or file of characters, and what brings it into the scene."""
    from tests.characters import stage

    def of_file(path: Path) -> Any:
        return lambda: [stage.Cast(path.stem, found, {}) for found in stage.import_file(path, hidden=True)]

    def of_rigify(kind: str) -> Any:
        return lambda: [stage.Cast(kind, stage.rigify(kind), {})]

    def of_build(name: str, seed: int) -> Any:
        return lambda: [stage.made_up(name, seed=seed)]

    for path in sorted(folder.iterdir()) if folder is not None else ():
        if path.suffix.lower() in SUFFIXES:
            yield path.stem, of_file(path)
    for kind in stage.METARIGS if stage.has_rigify() else ():
        yield kind, of_rigify(kind)
    for seed, name in enumerate(stage.BUILDS):
        yield name, of_build(name, seed)


def measure(cast: Cast, dance: Dance, *, fewer_keys: bool = False, ik: bool = False) -> Row:
    """Find the bones, put the dance on, watch it with the feet free and held."""
    import bpy

    from tests.characters import judging, stage

    scene, character, frames = bpy.context.scene, cast.character, len(dance.poses)
    scene.pirouette.character = character
    bpy.ops.pirouette.map_bones()
    kept = character.pirouette_character
    kept.simplify, kept.rigify_ik = fewer_keys, ik
    rows = {row.joint: row.bone for row in kept.rows if row.bone}
    sides = "wrong" if _sides_exchanged(character) else "ok"
    seen = {}
    for feet in ("OFF", "AUTO"):
        kept.feet = feet
        bpy.ops.pirouette.retarget()
        seen[feet] = stage.watch(character, frames)
    free, held = seen["OFF"], seen["AUTO"]
    told = json.loads(scene.pirouette.retarget_report)
    joints = {joint: dance.joints[:, joint] for joint in range(24)}
    return Row(
        character=cast.name,
        dance=dance.name,
        bones=len(character.data.bones),
        found_by=kept.source,
        joints=sum(joint in rows for joint in range(JOINTS)),
        wrong=sum(rows.get(joint) != bone for joint, bone in cast.truth.items() if joint < JOINTS),
        sides=sides,
        limb_error_deg=judging.limb_error_deg(free, dance.joints),
        slide_cm_s=judging.foot_slide_cm_s(held, dance.contacts, fps=stage.FPS),
        slide_unlocked_cm_s=judging.foot_slide_cm_s(free, dance.contacts, fps=stage.FPS),
        knee_deg_s=judging.knee_speed_deg_s(held.heads, fps=stage.FPS),
        knee_dance_deg_s=judging.knee_speed_deg_s(joints, fps=stage.FPS),
        penetration_cm=judging.penetration_cm(held),
        penetration_unlocked_cm=judging.penetration_cm(free),
        mesh_below_cm=stage.mesh_below_cm(character, frames),
        seconds=_seconds(character, dance),
        fewer_keys=fewer_keys,
        ik=ik,
        told={key: value for key, value in told.items() if isinstance(value, int | float | str)},
    )


def _sides_exchanged(character: Any) -> bool:
    """At rest, seen by where the feet point."""
    from tests.characters import judging, stage

    bones, world = stage.shown_bones(character), np.array(character.matrix_world)[:3, :3]
    data = character.data.bones
    heads = {joint: world @ np.array(data[name].head_local) for joint, name in bones.items()}
    ends = {joint: world @ np.array(data[bones[joint]].tail_local) for joint in (7, 8, 10, 11) if joint in bones}
    toes = sum(ends.get(ball, ends[ankle]) - heads[ankle] for ankle, ball in ((7, 10), (8, 11)))
    up = 0.5 * (heads[1] + heads[2] - heads[7] - heads[8])
    return judging.sides_exchanged(heads, toes, up)


def _seconds(character: Any, dance: Dance) -> float:
    """The time of the maths for so many frames, the best of some runs: others may use the machine."""
    from tests.addon.installed import part

    rig, bone_map = part("scene.character").read_rig(character), part("scene.character").bone_map_of(character)
    shapes = ((dance.poses, (24, 3)), (dance.pelvis, (3,)), (dance.contacts, (4,)))
    poses, pelvis, contacts = (np.resize(values, (TIMED_FRAMES, *shape)) for values, shape in shapes)
    took_s = []
    for _ in range(TIMED_RUNS):
        started_s = time.perf_counter()
        part("core.retarget").retarget(rig, bone_map, poses, pelvis, fps=30.0, contacts=contacts)
        took_s.append(time.perf_counter() - started_s)
    return min(took_s)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.exit(code)
