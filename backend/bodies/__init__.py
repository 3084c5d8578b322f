"""Bodies of the SMPL family from a file of the user's own: shape, joints, a skinned mesh."""
