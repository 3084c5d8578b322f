"""See the dance on the character before anything is written, and stop seeing it."""

from __future__ import annotations

from collections.abc import Collection, Generator

import bpy
import numpy as np

from ..core.retarget import Retargeted
from ..scene import character_preview
from ..scene.armature import find_dancer
from ..scene.character import editable, find_character
from ..scene.character_take import every_frame, standing_keys
from ..scene.rigify import body_controls, switches_for
from .carrying import carried, seen_dance
from .character_base import CharacterSteps, know_bones, problem_with_character
from .readiness import allowed
from .retarget import problem_before_retarget
from .stepping import Step, redraw


class PIROUETTE_OT_preview_retarget(CharacterSteps, bpy.types.Operator):
    """Show the dance on the character without writing anything: play it and look; Stop gives its own pose back"""

    bl_idname = "pirouette.preview_retarget"
    bl_label = "Preview"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are a dance and a character; the reason why not is the button's tooltip."""
        return allowed(cls, problem_before_retarget(context) or problem_with_character(context))

    def steps(self, context: bpy.types.Context) -> Generator[Step, None, None]:
        """Work it out as Retarget does, then show it."""
        character = find_character(context)
        editable(character)
        return _shown(character, find_dancer(context))


def _shown(character: bpy.types.Object, dancer: bpy.types.Object) -> Generator[Step, None, None]:
    character_preview.stop()  # what is posed now is read below
    know_bones(character)
    yield Step.WRITE
    dance = yield from seen_dance(dancer)
    found = yield from carried(character, dance)
    controls = body_controls(character, found.rig, found.bone_map)
    still = still_channels(character, found.retargeted, dance.frames, root=found.bone_map.root, controls=controls)
    switches = switches_for(character, found.bone_map, ik=False)
    yield Step.WORK
    character_preview.begin(character, found.retargeted, dance.frames, still=still, switches=switches)
    yield Step.WRITE


def still_channels(
    character: bpy.types.Object,
    retargeted: Retargeted,
    frames: np.ndarray,
    *,
    root: str,
    controls: Collection[str] = (),
) -> dict[tuple[str, str], list[float]]:
    """The channels that Retarget would key once so that nothing bends the dance: bone and channel to values."""
    written = every_frame(retargeted, character, frames)
    found: dict[tuple[str, str], list[float]] = {}
    for curve in standing_keys(character, written, root=root, frame=float(frames[0]), controls=controls):
        found.setdefault((curve.bone, curve.data_path.rpartition(".")[2]), []).append(float(curve.keys.places[0, 1]))
    return found


class PIROUETTE_OT_stop_preview_retarget(bpy.types.Operator):
    """End the preview: the character is as it was before"""

    bl_idname = "pirouette.stop_preview_retarget"
    bl_label = "Stop Preview"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only during a preview."""
        if character_preview.active() is None:
            cls.poll_message_set("No preview is shown.")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put everything back."""
        character_preview.stop()
        redraw(context)
        return {"FINISHED"}


CLASSES = (PIROUETTE_OT_preview_retarget, PIROUETTE_OT_stop_preview_retarget)
