"""The part of ``scene.pirouette`` that directs a dance: what Lock Pose locks, and how a dance is put together."""

from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

LOCKED_PARTS = (
    ("BODY", "Whole Body", "Every bone, with the body's lean and height"),
    ("SELECTED", "Selected Bones", "The bones that are selected in Pose Mode, and nothing else"),
    ("ARMS", "Arms and Hands", "From the collar bones to the hands: the hands come to where they are beside the body"),
    ("LEGS", "Legs and Feet", "From the hips to the toes"),
    ("NONE", "No Bones", "Nothing of the pose: the place or the facing alone"),
)
STRATEGIES = (
    ("AUTO", "Automatic", "What has measured best"),
    ("SEQUENTIAL", "One after the Other", "Each passage goes on from the one before it"),
    ("BIDIRECTIONAL", "Forth and Back", "Each passage knows both the one before and the one behind it"),
    (
        "COARSE_TO_FINE",
        "Highlights First",
        "First the striking moments on the beats and phrases of the whole song, then the movement between them",
    ),
    ("OVERLAPPING", "All at Once", "All passages together; neighbours share their ends"),
)
REUSES = (
    ("NONE", "Danced Anew", "A chorus that comes again is danced differently each time"),
    ("REPEAT", "Danced Alike", "A part of the music that comes again brings its movements back"),
    ("MIRROR", "Danced Mirrored", "A part of the music that comes again brings its movements back, left for right"),
)


class DirectionSettings:
    """Fields of ``DanceSettings``."""

    lock_part: EnumProperty(name="Lock", description="Which part of the pose Lock Pose locks", items=LOCKED_PARTS)
    lock_place: BoolProperty(
        name="Place",
        description="Lock Pose locks the place on the floor, too; off: the dance may strike the pose anywhere",
        default=False,
    )
    lock_heading: BoolProperty(
        name="Facing",
        description="Lock Pose locks which way the dancer faces, too; off: the dance may turn the pose any way",
        default=False,
    )
    show_locks: BoolProperty(
        name="Show Locks",
        description="Draw the locks: places on the floor, the selected pose as a stick figure, flags in the timeline",
        default=True,
    )
    section_words: BoolProperty(
        name="Words of Sections",
        description="A new dance follows the genre and prompt that you have given to single sections of the shown take",
        default=True,
    )
    locked_sections: BoolProperty(
        name="Locked Sections",
        description="A new dance keeps the locked sections of the shown take, frame by frame, and dances around them",
        default=True,
    )
    strategy: EnumProperty(
        name="Long Dances", description="In which order the passages of a dance are made", items=STRATEGIES
    )
    reuse: EnumProperty(
        name="Choruses",
        description="What happens when a part of the music, such as the chorus, comes again",
        items=REUSES,
    )
    novelty: FloatProperty(
        name="Novelty",
        description="How far the dance gets away from what was danced before: 0 goes on in the same vein, 1 keeps "
        "moving to something else; more of it also keeps a long dance from standing still",
        default=0.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    continue_counts: IntProperty(
        name="Counts", description="How many beats of the music are danced on", default=16, min=1, soft_max=64, max=512
    )
    continue_from: EnumProperty(
        name="From",
        description="Where the new movement begins",
        items=(
            ("END", "The End", "Behind the last frame that the dancer moves in"),
            ("PLAYHEAD", "The Playhead", "At the current frame; what is danced behind it is left out of the new take"),
        ),
    )
    fill_frames: EnumProperty(
        name="Fill",
        description="Which frames are danced anew between what is before and what is behind them",
        items=(
            ("SECTION", "Selected Section", "The section that is selected in the list"),
            ("PREVIEW", "Preview Range", "The frames of the preview range"),
            ("GAP", "Gap at the Playhead", "The hole between two passages of animation that the current frame lies in"),
        ),
    )
