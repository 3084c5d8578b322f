"""A panel drawn onto a layout that writes down what it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bpy

from tests.addon.installed import part

ICONS = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()


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
            assert options.get("icon", "NONE") in ICONS, options
            self.root.shown.append(" ".join([name, *map(str, self._words(arguments, options))]))
            return Layout(self.root)

        return call

    def operator(self, idname: str, **options: Any) -> Any:
        """A button, which takes properties."""
        self.__getattr__("operator")(idname, **options)
        return SimpleNamespace()

    def _words(self, arguments: tuple[Any, ...], options: dict[str, Any]) -> list[Any]:
        words = [word for word in arguments if isinstance(word, str)]
        return [*words, *(value for key, value in options.items() if key in ("text", "factor"))]


def drawn(panel: str, cls: str, *, width: int = 300) -> str:
    layout = Layout()
    now = bpy.context
    context = SimpleNamespace(
        scene=now.scene, workspace=now.workspace, preferences=now.preferences, view_layer=now.view_layer,
        region=SimpleNamespace(width=width), window_manager=now.window_manager,
    )  # fmt: skip
    found = getattr(part(f"panels.{panel}"), cls)
    found.draw(SimpleNamespace(layout=layout), context)
    return "\n".join(layout.shown)
