"""What holds for every test: no network, threads that wait without spinning, a Blender user folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("KMP_BLOCKTIME", "0")
if "BLENDER_USER_RESOURCES" not in os.environ:  # bpy reads it when it is imported
    _user_folder = tempfile.mkdtemp(prefix="pirouette-test-")
    os.environ["BLENDER_USER_RESOURCES"] = _user_folder
    atexit.register(shutil.rmtree, _user_folder, ignore_errors=True)
