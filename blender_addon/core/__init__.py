"""The part of the add-on that knows nothing of Blender: typed, and tested on any Python."""
