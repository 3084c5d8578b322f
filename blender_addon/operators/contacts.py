"""Say by hand where a character's feet stand, over what the dance says."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty

from ..character_properties import SIDES
from ..core.contact_edits import ContactEdit, Foot, foot_stands, with_edit, with_edits
from ..core.curves import spans_of
from ..core.errors import PirouetteError
from ..scene.contacts import Standing, edits_of, keep_edits, standing_of
from ..scene.timing import scene_fps
from .character_base import CharacterOperator

_ONCE = "Retarget to see it."


def chosen_frames(scene: bpy.types.Scene, around_s: float) -> tuple[int, int]:
    """The preview range; where there is none, so much around the current frame."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    reach = round(0.5 * around_s * scene_fps(scene))
    return scene.frame_current - reach, scene.frame_current + reach


class _Say(CharacterOperator):
    """Says of a foot whether it stands."""

    stands = True

    foot: EnumProperty(name="Foot", description="Which foot of the character", items=SIDES)
    around_s: FloatProperty(
        name="Around", description="How long, around the current frame, where no preview range is set, in seconds",
        default=0.5, min=0.05, soft_max=5.0, options={"SKIP_SAVE"},
    )  # fmt: skip

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Over the preview range, or around the current frame."""
        there = standing_of(context, character)
        foot: Foot = self.foot
        first, last = self.frames(context, character, there, foot)
        first, last = max(first, there.first), min(last, there.first + len(there.contacts) - 1)
        if first > last:
            raise PirouetteError("bad_range", "The dance is not at these frames.", "Go to a frame of the dance.")
        edit = ContactEdit(foot, *there.span_s(first, last), self.stands)
        keep_edits(character, with_edit(edits_of(character), edit))
        side = foot.lower()
        does = "stands still" if self.stands else "is free"
        return f"The {side} foot {does} in frames {first} – {last}. {_ONCE}"

    def frames(
        self, context: bpy.types.Context, character: bpy.types.Object, there: Standing, foot: Foot
    ) -> tuple[int, int]:
        """First and last frame of what is said."""
        return chosen_frames(context.scene, self.around_s)


class PIROUETTE_OT_plant_foot(_Say, bpy.types.Operator):
    """Let this foot of the character stand still: through the preview range, or for a moment around this frame"""

    bl_idname = "pirouette.plant_foot"
    bl_label = "Plant Foot"
    bl_options = {"REGISTER", "UNDO"}


class PIROUETTE_OT_free_foot(_Say, bpy.types.Operator):
    """Let this foot move: through the preview range, or for as long as it stands at this frame"""

    bl_idname = "pirouette.free_foot"
    bl_label = "Free Foot"
    bl_options = {"REGISTER", "UNDO"}

    stands = False

    def frames(
        self, context: bpy.types.Context, character: bpy.types.Object, there: Standing, foot: Foot
    ) -> tuple[int, int]:
        """The preview range, or the whole step that the playhead is in."""
        scene = context.scene
        if not scene.use_preview_range:
            contacts = with_edits(there.contacts, edits_of(character), there.times_s)
            for span in spans_of(foot_stands(contacts, foot)):
                if span.start <= scene.frame_current - there.first < span.end:
                    return there.first + span.start, there.first + span.end - 1
        return chosen_frames(scene, self.around_s)


class PIROUETTE_OT_clear_contact_edits(CharacterOperator, bpy.types.Operator):
    """Forget what was said by hand about the feet: they stand again where the dance says"""

    bl_idname = "pirouette.clear_contact_edits"
    bl_label = "Clear"
    bl_options = {"REGISTER", "UNDO"}

    edit: IntProperty(
        name="Edit", description="Which one, counted from 1; 0: all of them", default=0, min=0, options={"SKIP_SAVE"}
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The button's tooltip."""
        return "Forget this one: here the foot does what the dance says" if properties.edit else cls.__doc__ or ""

    def act(self, context: bpy.types.Context, character: bpy.types.Object) -> str:
        """Take them out of the list."""
        edits = edits_of(character)
        if self.edit > len(edits):
            raise PirouetteError("bad_range", f"There are only {len(edits)} edits of the feet.")
        keep_edits(character, [edit for place, edit in enumerate(edits, 1) if self.edit and place != self.edit])
        return f"The feet stand where the dance says. {_ONCE}"


CLASSES = (PIROUETTE_OT_plant_foot, PIROUETTE_OT_free_foot, PIROUETTE_OT_clear_contact_edits)
