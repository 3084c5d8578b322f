"""What the panels show in each situation: drawn onto a layout that writes down what it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import bpy
import pytest

from tests.addon.drawing import Layout, drawn
from tests.addon.installed import MODULE, add_sound, part


def dance_panel() -> str:
    return drawn("dance", "PIROUETTE_PT_dance")


def test_a_scene_without_sound_says_so_and_offers_a_song(scene: bpy.types.Scene) -> None:
    shown = dance_panel()
    assert "There is no sound on the" in shown
    assert "operator pirouette.add_song" in shown
    assert "Frames 1 – 240, 10.0 s" in shown


def test_a_scene_with_a_song_shows_the_choices_and_generate(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    scene.pirouette.source = "STRIP"
    shown = dance_panel()
    for word in ("prop source", "prop strip", "prop genre", "prop prompt", "prop seed", "prop new_seed"):
        assert word in shown
    assert "operator pirouette.generate_dance" in shown
    assert "No sound strip is chosen." in shown


def test_while_a_dance_is_made_there_are_a_bar_and_cancel(scene: bpy.types.Scene) -> None:
    session = part("core.session").SESSION
    session.begin("dance")
    session.report("dance", done=1, total=2)
    shown = dance_panel()
    assert "operator pirouette.cancel" in shown
    assert "progress Dancing 0.59" in shown
    assert "generate_dance" not in shown


def test_the_last_error_is_one_sentence_with_its_button(scene: bpy.types.Scene, song: Path) -> None:
    add_sound(song)
    session, errors = part("core.session").SESSION, part("core.errors")
    session.end(error=errors.PirouetteError("backend_died", "The dance backend has stopped (signal 9).", "killed"))
    shown = dance_panel()
    assert "The dance backend has" in shown
    assert "operator pirouette.copy_report" in shown
    session.end(error=errors.PirouetteError("silence", "It is silent.", "Turn it up."))
    assert "It is silent. Turn it up." in dance_panel().replace("\nlabel ", " ")


def test_long_sentences_are_broken_to_the_sidebars_width(scene: bpy.types.Scene) -> None:
    session = part("core.session").SESSION
    session.end(warning="word " * 40)
    add = part("panels.dance")
    narrow, wide = Layout(), Layout()
    for layout, width in ((narrow, 180), (wide, 600)):
        context = SimpleNamespace(preferences=bpy.context.preferences, region=SimpleNamespace(width=width))
        add.draw_text(layout, context, session.warning, icon="INFO")
    assert len(narrow.shown) > len(wide.shown) > 2


def test_the_take_panel_tells_length_tempo_and_quality(dance: Callable[..., bpy.types.Object]) -> None:
    dance()
    assert part("panels.result").PIROUETTE_PT_result.poll(bpy.context)
    shown = drawn("result", "PIROUETTE_PT_result")
    assert "10.0 s" in shown
    assert "120 BPM in 4/4" in shown


def test_measures_are_shown_when_the_backend_reports_them(scene: bpy.types.Scene) -> None:
    facts = part("panels.result").facts
    document = {"frames": 300, "fps": 30.0, "beats": {"clear": False}, "report": {"foot_skate_cm_s": 2.345, "x": "y"}}
    assert facts(document) == [("Length", "10.0 s"), ("Tempo", "no clear beat"), ("Foot skate", "2.3 cm/s")]


def test_there_is_no_take_panel_without_a_take(scene: bpy.types.Scene) -> None:
    assert not part("panels.result").PIROUETTE_PT_result.poll(bpy.context)


def test_the_installation_shows_its_bar(scene: bpy.types.Scene) -> None:
    session = part("core.session").SESSION
    session.begin("setup")
    session.detail = "Installing packages"
    assert part("panels.setup").PIROUETTE_PT_setup.poll(bpy.context)
    assert "progress Installing packages" in drawn("setup", "PIROUETTE_PT_setup")


@pytest.mark.parametrize("busy", [False, True])
def test_the_preferences_draw(scene: bpy.types.Scene, busy: bool) -> None:
    preferences = bpy.context.preferences.addons[MODULE].preferences
    if busy:
        part("core.session").SESSION.begin("setup")
    layout = Layout()
    type(preferences).draw(SimpleNamespace(layout=layout), bpy.context)
    shown = "\n".join(layout.shown)
    assert "non-commercial" in shown
    assert ("operator pirouette.cancel" if busy else "operator pirouette.set_up_backend") in shown


Dance = Callable[..., bpy.types.Object]


def sections_panel() -> str:
    assert part("panels.sections_panel").PIROUETTE_PT_sections.poll(bpy.context)
    return drawn("sections_panel", "PIROUETTE_PT_sections")


def test_the_sections_panel_shows_the_list_and_what_the_selected_one_is_danced_by(dance: Dance) -> None:
    dancer = dance(prompt="slow")
    shown = sections_panel()
    for word in (
        "menu PIROUETTE_MT_takes Dance 001 seed 1",
        "template_list PIROUETTE_UL_sections",
        "prop prompt",
        "prop genre",
        "prop seed",
        "prop strength",
        "operator pirouette.section_regenerate",
        "operator pirouette.section_move",
    ):
        assert word in shown
    dancer.animation_data.nla_tracks[0].mute = True
    assert "operator pirouette.show_take" in sections_panel()


def test_a_line_of_the_list_shows_words_counts_lock_and_keys_made_by_hand(dance: Dance) -> None:
    dancer = dance(prompt="slow", genre="salsa")
    lists = part("panels.sections_panel")
    layout, item = Layout(), dancer.pirouette.sections[1]
    now = bpy.context
    for width in (200, 500):
        context = SimpleNamespace(preferences=now.preferences, region=SimpleNamespace(width=width))
        lists.PIROUETTE_UL_sections.draw_item(None, context, layout, None, item, 0, None, "active")
        assert "label 5–8" in layout.shown
        assert ("label salsa, slow" in layout.shown) == (width == 500)
    assert lists.in_short(dancer.pirouette.sections[0]) == "salsa, slow"
    item.genre = "ANY"
    assert lists.in_short(item) == "slow"


def test_a_damaged_dance_is_told_in_the_panel(dance: Dance) -> None:
    dancer, storage = dance(), part("scene.storage")
    del dancer[storage.DANCES]["001"]["document"]
    part("scene.section_list").show_sections(dancer)
    assert "its description is missing" in sections_panel().replace("\nlabel ", " ")


def test_while_a_section_is_made_there_are_a_bar_and_cancel(dance: Dance) -> None:
    dance()
    session = part("core.session").SESSION
    session.begin("edit")
    session.report("dance", done=1, total=2)
    shown = sections_panel()
    assert "progress Dancing" in shown
    assert "operator pirouette.cancel" in shown


def test_a_dancer_without_a_dance_can_get_one_from_its_animation(scene: bpy.types.Scene) -> None:
    part("scene.armature").create_dancer(bpy.context)
    assert "operator pirouette.encode_animation" in sections_panel()


def test_the_menus_and_the_display_panel_draw(dance: Dance) -> None:
    dance()
    shown = drawn("sections_panel", "PIROUETTE_MT_section") + drawn("sections_panel", "PIROUETTE_MT_takes")
    for name in ("copy", "paste", "duplicate", "split", "merge", "lock", "snap"):
        assert f"operator pirouette.section_{name}" in shown
    assert "operator pirouette.show_take Dance 001 seed 1" in shown
    assert "prop section_markers" in drawn("sections_panel", "PIROUETTE_PT_section_view")


def test_the_library_panel_offers_what_can_be_done_with_a_phrase(dance: Dance) -> None:
    dance()
    assert "Browse the Library" in drawn("library_panel", "PIROUETTE_PT_library")
    bpy.ops.pirouette.library_search()
    shown = drawn("library_panel", "PIROUETTE_PT_library")
    for name in ("library_preview", "section_insert Insert After", "section_replace", "library_add"):
        assert f"operator pirouette.{name}" in shown
    assert "a full turn on one foot" in shown
    bpy.context.window_manager.pirouette_library.query = "nothing like it"
    bpy.ops.pirouette.library_search()
    assert "Nothing in the library" in drawn("library_panel", "PIROUETTE_PT_library")


def test_every_control_says_what_it_does(scene: bpy.types.Scene) -> None:
    operators = [name for name in dir(bpy.types) if name.startswith("PIROUETTE_OT_")]
    assert len(operators) > 25
    for name in operators:
        operator = getattr(bpy.ops.pirouette, name.removeprefix("PIROUETTE_OT_")).get_rna_type()
        assert len(operator.description) > 10 or "description" in vars(getattr(bpy.types, name)), name
    for owner, module in (
        ("DanceSettings", "properties"),
        ("SectionItem", "section_properties"),
        ("LibraryProperties", "library_properties"),
        ("LockItem", "lock_properties"),
        ("CharacterProperties", "character_properties"),
        ("ContactEdit", "character_properties"),
        ("BoneRowItem", "character_properties"),
        ("BodyProperties", "body_properties"),
    ):
        kind = getattr(part(module), owner).bl_rna
        for found in kind.properties:
            if found.identifier not in ("rna_type", "name", "results", "rows", "contact_edits") and not found.is_hidden:
                assert found.description, (owner, found.identifier)


def test_every_choice_and_option_of_an_operator_is_explained(scene: bpy.types.Scene) -> None:
    for name in dir(bpy.types):
        if name.startswith("PIROUETTE_OT_"):
            operator = getattr(bpy.ops.pirouette, name.removeprefix("PIROUETTE_OT_")).get_rna_type()
            for found in operator.properties:
                if found.identifier != "rna_type" and not found.is_hidden and found.identifier != "filepath":
                    assert found.description, (name, found.identifier)


def test_a_scene_without_a_dancer_offers_one_to_pose(scene: bpy.types.Scene) -> None:
    assert "operator pirouette.new_dancer" in drawn("locks_panel", "PIROUETTE_PT_locks")


def test_the_key_poses_panel_shows_the_list_and_what_is_done_with_a_lock(dance: Dance) -> None:
    dancer = dance()
    assert "template_list" not in drawn("locks_panel", "PIROUETTE_PT_locks")
    bpy.ops.pirouette.lock_pose(part="ARMS", place=True)
    shown = drawn("locks_panel", "PIROUETTE_PT_locks")
    for word in ("lock_pose", "locks_from_action", "lock_show", "lock_update", "lock_go_to", "lock_delete"):
        assert f"operator pirouette.{word}" in shown
    assert "template_list PIROUETTE_UL_locks" in shown
    assert drawn("locks_panel", "PIROUETTE_MT_waypoints").count("operator pirouette.lock_place") == 8
    lists, layout = part("panels.locks_panel"), Layout()
    assert "label Locked: arms, hands, place" in shown
    for width in (200, 500):
        context = SimpleNamespace(
            scene=bpy.context.scene, preferences=bpy.context.preferences, region=SimpleNamespace(width=width)
        )
        lists.PIROUETTE_UL_locks.draw_item(None, context, layout, None, dancer.pirouette.locks[0], 0, None, "active")
        assert ("label Arms, hands, place" in layout.shown) == (width == 500)
    assert "label 1" in layout.shown


def test_locks_are_listed_in_the_order_of_time(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance()
    for frame in (50, 20, 90):
        scene.frame_set(frame)
        bpy.ops.pirouette.lock_pose()
    lists = part("panels.locks_panel")
    assert lists.PIROUETTE_UL_locks.filter_items(None, bpy.context, dancer.pirouette, "locks") == ([], [1, 0, 2])


def test_the_beats_panel_tells_what_was_changed(dance: Dance) -> None:
    assert "operator pirouette.beats_detect" in drawn("beats_panel", "PIROUETTE_PT_beats")
    dance()
    shown = drawn("beats_panel", "PIROUETTE_PT_beats")
    assert "120 BPM in 4/4" in shown
    assert "Yours" not in shown
    bpy.ops.pirouette.beat_move(frame=4)
    shown = drawn("beats_panel", "PIROUETTE_PT_beats")
    assert "Yours: 1 moved" in shown
    for word in ("beat_add", "beat_delete", "beat_accent", "beat_one", "beats_shift", "beats_detect"):
        assert f"operator pirouette.{word}" in shown


def test_the_panels_for_going_on_and_for_more_draw(dance: Dance) -> None:
    dance()
    shown = drawn("going_on_panel", "PIROUETTE_PT_going_on")
    for word in ("operator pirouette.continue_dance", "operator pirouette.fill_between", "prop novelty"):
        assert word in shown
    shown = drawn("dance", "PIROUETTE_PT_more")
    for word in ("section_words", "locked_sections", "strategy", "reuse", "novelty", "model"):
        assert f"prop {word}" in shown


def test_what_the_next_dance_follows_stands_below_generate(dance: Dance) -> None:
    dance()
    assert "Follows" not in dance_panel()
    bpy.ops.pirouette.lock_pose()
    bpy.ops.pirouette.beat_accent()
    assert "Follows 1 key pose, 1 accent" in dance_panel()


def test_locks_are_drawn_on_the_floor_and_as_flags_in_the_timeline(dance: Dance, scene: bpy.types.Scene) -> None:
    dancer = dance()
    bpy.ops.pirouette.lock_pose(part="NONE", place=True, heading=True, title="Front")
    scene.frame_set(100)
    bpy.ops.pirouette.lock_pose()
    floor, now = part("panels.floor"), part("scene.locks").capture(bpy.context, dancer)
    place, pose = dancer.pirouette.locks
    assert len(floor.floor_lines(place)) == 37  # a ring, a cross and an arrow
    assert (floor.floor_lines(pose), floor.figure_lines(place, now)) == ([], [])
    assert len(floor.figure_lines(pose, now)) == 23
    pose.joints = [joint == 16 for joint in range(24)]
    assert len(floor.figure_lines(pose, now)) == 1  # the upper arm alone
    assert part("panels.floor").is_near(scene, pose)
    assert not part("panels.floor").is_near(scene, place)
    view = SimpleNamespace(view_to_region=lambda x, y, clip: (2.0 * x, y))
    now = bpy.context
    context = SimpleNamespace(
        scene=now.scene, view_layer=now.view_layer, preferences=now.preferences,
        region=SimpleNamespace(width=300, view2d=view),
    )  # fmt: skip
    found = part("panels.timeline").visible_flags(context)
    assert [(flag.x, flag.text, flag.selected) for flag in found] == [(2.0, "Front", False), (200.0, "Pose 1", True)]
    scene.pirouette.show_locks = False
    assert part("panels.timeline").visible_flags(context) == []


def test_strips_over_the_timeline_follow_the_sections(dance: Dance, scene: bpy.types.Scene) -> None:
    scene.render.fps = 30
    dancer = dance()
    dancer.pirouette.sections[1].locked = True
    view = SimpleNamespace(view_to_region=lambda x, y, clip: (2.0 * x, y))
    now = bpy.context
    context = SimpleNamespace(
        scene=now.scene, view_layer=now.view_layer, preferences=now.preferences,
        region=SimpleNamespace(width=300, view2d=view),
    )  # fmt: skip
    found = part("panels.timeline").visible_bars(context)
    assert [(bar.text, bar.locked, bar.selected) for bar in found] == [("1", False, True), ("2", True, False),
                                                                       ("3", False, False)]  # fmt: skip
    assert (found[0].left, found[0].right) == (3.0, 121.0)
    scene.pirouette.section_strips = False
    assert part("panels.timeline").visible_bars(context) == []
