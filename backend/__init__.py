"""Pirouette's backend: music and words in, dance out. It runs in its own process and knows nothing of Blender."""

__version__ = "0.1.0"
