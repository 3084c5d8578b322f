"""What the animator can do: each operator reads the scene, calls core and writes the scene."""
