"""Dances longer than the network's window: four ways to cover them."""
