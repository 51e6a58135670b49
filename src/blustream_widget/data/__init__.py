"""Volumes: opening, reading by bricks and slices, importing, describing."""

from __future__ import annotations

from blustream_widget.data.describe import describe
from blustream_widget.data.opening import open_source
from blustream_widget.data.slices import SliceReader
from blustream_widget.data.source import BrickKey, FarSource, Region, VolumeSource

__all__ = [
    "BrickKey",
    "FarSource",
    "Region",
    "SliceReader",
    "VolumeSource",
    "describe",
    "open_source",
]
