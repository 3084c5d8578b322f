"""What the panels show in each situation: drawn onto a layout that writes down what it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.addon.installed import MODULE, add_sound, part


class Layout:
    """Remembers texts, buttons and fields; refuses what Blender's own layout of this version does not know."""

    def __init__(self, root: Layout | None = None) -> None:
        self.root = root or self
        if root is None:
            self.shown: list[str] = []
        self.enabled, self.active, self.scale_y, self.use_property_split = True, True, 1.0, False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        known = bpy.types.UILayout.bl_rna.functions
        assert name in known, f"{name} is unknown to this Blender"

        def call(*arguments: Any, **options: Any) -> Layout:
            assert set(options) <= set(known[name].parameters.keys()), (name, options)
            self.root.shown.append(" ".join([name, *map(str, self._words(arguments, options))]))
            return Layout(self.root)

        return call

    def _words(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
        words = [word for word in arguments if isinstance(word, str)]
        return [*words, *(value for key, value in options.items() if key in ("text", "factor"))]


def drawn(panel: str, cls: str, *, width: int = 300) -> str:
    layout = Layout()
    now = bpy.context
    context = SimpleNamespace(
        scene=now.scene, workspace=now.workspace, preferences=now.preferences, view_layer=now.view_layer,
        region=SimpleNamespace(width=width),
    )  # fmt: skip
    found = getattr(part(f"panels.{panel}"), cls)
    found.draw(SimpleNamespace(layout=layout), context)
    return "\n".join(layout.shown)


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
