"""Dances longer than the window of the network."""
