"""Operators on voxels: what is computed from a volume, beyond showing it."""
