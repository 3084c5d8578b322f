"""The only part of the add-on that touches scene data."""
