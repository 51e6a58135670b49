"""What a spare worker does while it waits, so that the first picture finds everything loaded."""

from __future__ import annotations

import importlib

import msgspec
import numpy as np

from blustream_widget.core.state import first_state
from blustream_widget.core.types import Axis, Channel, SliceData, VolumeInfo
from blustream_widget.encode.stills import JpegEncoder, PngEncoder
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.view import plan_slice

_HEAVY = ("blustream_widget.data.openvds_source", "blustream_widget.data.memory")
_N = 64
# What volumes open with, and one that loads the catalogue for the others.
_FIRST_MAPS = ("grey", "seismic", "labels", "viridis")


def warm_up() -> None:
    """Load the readers, make the colour tables, draw and encode a picture of each kind."""
    for module in _HEAVY:
        importlib.import_module(module)
    axis = Axis(name="", unit="", n=_N, first=0, step=1, spacing=1)
    channel = Channel(name="", unit="", dtype="float32", value_min=0, value_max=1)
    info = VolumeInfo(name="", kind="generic", axes=(axis, axis, axis), channels=(channel,))
    values = np.linspace(0, 1, _N * _N, dtype=np.float32).reshape(_N, _N)
    renderer = SliceRenderer()
    for colormap in _FIRST_MAPS:
        state = msgspec.structs.replace(
            first_state(info), colormap=colormap, width_px=1280, height_px=720
        )
        data = SliceData(
            values=values,
            axis=state.axis,
            slice_idx=0,
            channel=0,
            lod=0,
            origin=(0, 0),
            coarsest_lod=0,
            progress=1.0,
        )
        renderer.draw(data, plan_slice(state, info), state, info)
    view = plan_slice(state, info)
    JpegEncoder().encode(renderer.draw(data, view, state, info, space="jpeg"))
    PngEncoder().encode(renderer.draw(data, view, state, info, space="rgb"))
