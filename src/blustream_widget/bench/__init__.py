"""Measurements: what the viewer costs and how quick it is, against the same clock."""
