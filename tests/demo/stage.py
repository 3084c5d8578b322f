"""The demo's stage: a chequered floor on which a sliding foot shows, a camera that follows the dancer, the pictures."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import bpy
import numpy as np

VIDEO_SIZE = (640, 360)
TILE_SIZE = (240, 270)
SHEET_COLUMNS, SHEET_ROWS = 8, 4
CAMERA_STEP_FRAMES = 10
CAMERA_SMOOTHING_S = 1.5
CAMERA_OFFSET_M = (1.4, -5.2, 0.75)
VERTICAL_LENS_MM = 48.0  # 2.7 m high at the dancer
TILE_SQUARE_M = 0.5
BACKGROUND = (0.16, 0.17, 0.2)


def dress(armature: bpy.types.Object) -> None:
    """Adds floor and camera for this dancer to the current scene and chooses how it is drawn."""
    scene = bpy.context.scene
    path = pelvis_path(armature)
    _add_floor(path)
    _add_camera(path, hip_height_m=float(np.median(path[:, 2])))
    scene.render.engine = "BLENDER_WORKBENCH"
    shading = scene.display.shading
    shading.light, shading.color_type = "STUDIO", "MATERIAL"
    shading.show_shadows, shading.show_cavity = True, True
    shading.shadow_intensity = 0.4
    scene.display.light_direction = (-0.3, 0.5, 0.8)
    shading.background_type, shading.background_color = "VIEWPORT", BACKGROUND
    scene.world = bpy.data.worlds.new("Stage World")
    scene.world.color = BACKGROUND  # what a Workbench render shows
    scene.view_settings.view_transform = "Standard"
    armature.hide_render = True


def pelvis_path(armature: bpy.types.Object) -> np.ndarray:
    """Where the pelvis is in the world in every frame of the scene: (frames, 3) metres."""
    scene = bpy.context.scene
    found = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        found.append(armature.matrix_world @ armature.pose.bones["Pelvis"].head)
    return np.array(found, dtype=np.float64)


def _add_floor(path: np.ndarray) -> None:
    """A chequered floor that reaches 4 m beyond everywhere the dancer goes, at the height zero."""
    low = np.floor((path[:, :2].min(axis=0) - 4.0) / TILE_SQUARE_M).astype(int)
    high = np.ceil((path[:, :2].max(axis=0) + 4.0) / TILE_SQUARE_M).astype(int)
    columns, rows = (int(n) for n in high - low + 1)
    corners = [
        ((low[0] + x) * TILE_SQUARE_M, (low[1] + y) * TILE_SQUARE_M, 0.0) for y in range(rows) for x in range(columns)
    ]
    squares = [
        (i := y * columns + x, i + 1, i + columns + 1, i + columns) for y in range(rows - 1) for x in range(columns - 1)
    ]
    mesh = bpy.data.meshes.new("Stage Floor")
    mesh.from_pydata(corners, [], squares)
    for name, grey in (("Stage Dark", 0.2), ("Stage Light", 0.4)):
        material = bpy.data.materials.new(name)
        material.diffuse_color = (grey, grey, grey * 1.06, 1.0)
        mesh.materials.append(material)
    shades = [(x + y) % 2 for y in range(rows - 1) for x in range(columns - 1)]
    mesh.polygons.foreach_set("material_index", shades)
    floor = bpy.data.objects.new("Stage Floor", mesh)
    bpy.context.scene.collection.objects.link(floor)


def _add_camera(path: np.ndarray, *, hip_height_m: float) -> None:
    """A camera that keeps its direction and follows the pelvis slowly, so that steps stay visible as steps."""
    scene = bpy.context.scene
    fps = scene.render.fps / scene.render.fps_base
    smooth = _smoothed(path[:, :2], sigma_frames=CAMERA_SMOOTHING_S * fps)
    data = bpy.data.cameras.new("Stage Camera")
    data.sensor_fit, data.lens = "VERTICAL", VERTICAL_LENS_MM
    camera = bpy.data.objects.new("Stage Camera", data)
    scene.collection.objects.link(camera)
    side, back, lift = CAMERA_OFFSET_M
    camera.rotation_euler = (math.pi / 2 - math.atan2(lift, math.hypot(side, back)), 0.0, math.atan2(side, -back))
    for index in [*range(0, len(smooth), CAMERA_STEP_FRAMES), len(smooth) - 1]:
        x, y = smooth[index]
        camera.location = (x + side, y + back, hip_height_m + lift)
        camera.keyframe_insert("location", frame=scene.frame_start + index)
    scene.camera = camera


def _smoothed(values: np.ndarray, *, sigma_frames: float) -> np.ndarray:
    """values (frames, n) under a Gaussian that keeps its ends in place."""
    reach = int(3 * sigma_frames)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_frames) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, kernel / kernel.sum(), mode="valid") for column in padded.T], axis=1)


def render_contact_sheet(target: Path) -> list[float]:
    """Writes poses from the whole dance, each with its time in seconds, as one picture; returns the times."""
    scene = bpy.context.scene
    fps = scene.render.fps / scene.render.fps_base
    count = SHEET_COLUMNS * SHEET_ROWS
    frames = np.linspace(scene.frame_start, scene.frame_end, count + 1)[:-1].round().astype(int)
    times_s = [float(frame - scene.frame_start) / fps for frame in frames]
    _still_settings(scene)
    with tempfile.TemporaryDirectory() as folder:
        tiles = []
        for frame, time_s in zip(frames, times_s, strict=True):
            scene.frame_set(int(frame))
            scene.render.stamp_note_text = f"{time_s:.2f} s"
            scene.render.filepath = str(Path(folder) / f"{frame:06d}.png")
            bpy.ops.render.render(write_still=True)
            tiles.append(read_pixels(Path(scene.render.filepath)))
    scene.render.use_stamp = False
    rows = [np.concatenate(tiles[i : i + SHEET_COLUMNS], axis=1) for i in range(0, count, SHEET_COLUMNS)]
    save_pixels(np.concatenate(rows[::-1], axis=0), target)  # Blender's pixels start at the lower left
    return times_s


def _still_settings(scene: bpy.types.Scene) -> None:
    render = scene.render
    render.resolution_x, render.resolution_y = TILE_SIZE
    render.resolution_percentage = 100
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"
    for name in dir(render):
        if name.startswith("use_stamp_"):
            setattr(render, name, False)
    render.use_stamp, render.use_stamp_note = True, True
    render.stamp_font_size = 18
    scene.display.render_aa = "8"
    render.use_sequencer = False


def read_pixels(path: Path) -> np.ndarray:
    """A picture (height, width, 4), the lowest row first."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    values = np.empty(width * height * 4, dtype=np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    return values.reshape(height, width, 4)


def save_pixels(pixels: np.ndarray, target: Path) -> None:
    """A picture (height, width, 4), the lowest row first, as a PNG file."""
    height, width = pixels.shape[:2]
    image = bpy.data.images.new(target.name, width, height)
    image.pixels.foreach_set(np.ascontiguousarray(pixels, dtype=np.float32).ravel())
    image.filepath_raw, image.file_format = str(target), "PNG"
    image.save()
    bpy.data.images.remove(image)


def prepare_video(target: Path) -> None:
    """Sets the scene up to write a film of itself, with the sound of its timeline, to this file."""
    scene = bpy.context.scene
    render = scene.render
    render.resolution_x, render.resolution_y = VIDEO_SIZE
    render.resolution_percentage = 100
    render.use_stamp = False
    render.use_sequencer = True
    # Without a graphics card several samples and cavity would more than double the time of a frame.
    scene.display.render_aa, scene.display.shading.show_cavity = "FXAA", False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format = "FFMPEG"
    film = render.ffmpeg
    film.format, film.codec, film.audio_codec = "MPEG4", "H264", "AAC"
    film.constant_rate_factor, film.ffmpeg_preset, film.audio_bitrate = "MEDIUM", "REALTIME", 160
    render.use_file_extension = False
    render.filepath = str(target)
