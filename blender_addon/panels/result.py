"""What is known about the dance that was made last."""

from typing import Any

import bpy

from ..scene.armature import find_dancer
from ..scene.storage import read_document
from .dance import SidebarPanel

_MEASURES = (
    ("foot_skate_cm_s", "Foot skate", "{:.1f} cm/s"),
    ("beat_alignment_lift", "On the beat", "{:+.2f}"),
    ("freezing_pct", "Standing still", "{:.0f} %"),
)


class PIROUETTE_PT_result(SidebarPanel, bpy.types.Panel):
    """The current take's length, tempo and quality."""

    bl_label = "Take"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only when there is a take."""
        dancer = find_dancer(context)
        return dancer is not None and bool(read_document(dancer))

    def draw(self, context: bpy.types.Context) -> None:
        """One line for each fact."""
        dancer = find_dancer(context)
        if dancer is None:
            return
        column = self.layout.column(align=True)
        for name, value in facts(read_document(dancer)):
            row = column.split(factor=0.45)
            row.label(text=name)
            row.label(text=value)


def facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what an animator wants to know of a dance's description."""
    found = [("Length", f"{document['frames'] / document['fps']:.1f} s")]
    beats = document.get("beats", {})
    if beats.get("clear", True):
        found.append(("Tempo", f"{beats.get('tempo_bpm', 0):.0f} BPM in {beats.get('metre', 4)}/4"))
    else:
        found.append(("Tempo", "no clear beat"))
    report = document.get("report", {})
    found += [(label, form.format(report[key])) for key, label, form in _MEASURES if _is_number(report.get(key))]
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


CLASSES = (PIROUETTE_PT_result,)
