"""The whole way once with the real backend: a song on the timeline becomes keyframes made by the trained model."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import numpy as np
import pytest

from blender_addon.core.locations import backend_folder
from blender_addon.core.skeleton import forward_kinematics
from tests.addon.installed import MODULE, add_sound, part

SONG = Path(__file__).resolve().parents[1] / "fixtures" / "songs" / "mentalgroove.opus"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("PIROUETTE_BACKEND_PYTHON" not in os.environ, reason="no Python for the backend is named"),
    pytest.mark.skipif(
        not list((backend_folder() / "weights").glob("*.safetensors")), reason="there are no trained weights"
    ),
]


def test_a_song_on_the_timeline_becomes_a_dance(scene: bpy.types.Scene) -> None:
    bpy.context.preferences.addons[MODULE].preferences.backend_command = ""
    part("operators.readiness").BACKEND_PROBLEM.forget()
    add_sound(SONG)
    scene.frame_end = 240
    assert bpy.ops.pirouette.generate_dance() == {"FINISHED"}
    dancer = bpy.context.view_layer.objects.active
    document = part("scene.storage").load(dancer)
    assert document.duration_s == pytest.approx(10.0, abs=0.1)
    assert len(document.beats.beats_s) > 10
    assert document.model_version
    joints = forward_kinematics(document.poses, document.pelvis)
    assert joints[..., 2].min() > -0.06  # nothing in the floor
    assert 0.5 < np.median(document.pelvis[:, 2]) < 1.2  # somebody who mostly stands
    assert np.ptp(joints, axis=0).max() > 0.3  # and moves
    assert dancer.animation_data.nla_tracks[0].strips[0].frame_end == 240.0
    scene.frame_set(120)
    found = dancer.pose.bones["Head"].head.z
    assert found == pytest.approx(joints[round(119 / 24 * 30), 15, 2], abs=0.03)
