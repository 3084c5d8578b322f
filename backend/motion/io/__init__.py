"""Motion files: read what the field writes, write npz and BVH, never leave half a file."""

from backend.motion.io.atomic import replacing
from backend.motion.io.bvh import write_bvh
from backend.motion.io.ground import grounded
from backend.motion.io.read import read_motion

__all__ = ["grounded", "read_motion", "replacing", "write_bvh"]
