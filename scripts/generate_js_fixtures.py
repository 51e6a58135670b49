"""Write the table of cases by which the JS tests hold the browser's half equal to Python's."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from blustream_widget.core import protocol, view_messages
from blustream_widget.core.frame_header import FrameFlags, FrameHeader, PaneHeader
from blustream_widget.core.geometry import place_slice
from blustream_widget.core.linking import Guide, LinkKind
from blustream_widget.core.presets import presets_of
from blustream_widget.core.section_grid import grid_of, section_info
from blustream_widget.core.sections import Fence, Section, plane_across, turned
from blustream_widget.core.state import first_state
from blustream_widget.core.types import Axis, Channel, LoadedSlices, VolumeInfo

TARGET = Path(__file__).resolve().parents[1] / "js" / "tests" / "fixtures" / "contract.json"

_CHANNEL = Channel(name="amplitude", unit="", dtype="float32", value_min=-2.0, value_max=3.0)
_TILT = (math.cos(0.3), math.sin(0.3))
_AFFINES: dict[str, tuple[float, ...]] = {
    "ras": (2, 0, 0, -90, 0, 2, 0, -126, 0, 0, 2, -72, 0, 0, 0, 1),
    "lps": (-1, 0, 0, 90, 0, -1, 0, 126, 0, 0, 1, -72, 0, 0, 0, 1),
    "permuted": (0, 0, -3, 0, 1.5, 0, 0, 0, 0, -1.5, 0, 0, 0, 0, 0, 1),
    "tilted": (1, 0, 0, 0, 0, _TILT[0], -_TILT[1], 0, 0, _TILT[1], _TILT[0], 0, 0, 0, 0, 1),
}
# Inlines and crosslines go: east and north, north and east, and a mirrored survey at 30 degrees.
_SURVEYS: dict[str, tuple[float, ...]] = {
    "east": (25, 0, 0, 4e5, 0, 12.5, 0, 6e6, 0, 0, 4, 0, 0, 0, 0, 1),
    "north": (0, 12.5, 0, 4e5, 25, 0, 0, 6e6, 0, 0, 4, 0, 0, 0, 0, 1),
    "turned": (-21.7, 6.3, 0, 4e5, 12.5, 10.8, 0, 6e6, 0, 0, 4, 0, 0, 0, 0, 1),
}


_TURNED = ("seismic", "medical tilted", "survey turned")
"""Volumes that are laid on the screen turned and mirrored as well: one of each kind."""


_SECTIONED = ("seismic", "medical tilted", "medical permuted", "survey turned")
"""Volumes through which sections are laid: one of each kind."""


def _volume(kind: str, affine: tuple[float, ...] | None) -> VolumeInfo:
    names = ("inline", "crossline", "sample") if kind == "seismic" else ("i", "j", "k")
    sizes, spacings = (91, 109, 64), (2.0, 2.5, 4.0)
    axes = [
        {"name": name, "unit": "", "n": n, "first": 100.0, "step": 2.0, "spacing": spacing}
        for name, n, spacing in zip(names, sizes, spacings, strict=True)
    ]
    return msgspec.convert(
        {
            "name": kind,
            "kind": kind,
            "axes": [msgspec.to_builtins(msgspec.convert(axis, Axis)) for axis in axes],
            "channels": [msgspec.to_builtins(_CHANNEL)],
            "affine": affine,
        },
        VolumeInfo,
    )


def volumes() -> Iterator[tuple[str, VolumeInfo]]:
    """Every kind of volume that is laid on the screen in its own way."""
    yield "seismic", _volume("seismic", None)
    yield "generic", _volume("generic", None)
    yield "medical", _volume("medical", None)
    for name, affine in _AFFINES.items():
        yield f"medical {name}", _volume("medical", affine)
    for name, affine in _SURVEYS.items():
        yield f"survey {name}", _volume("seismic", affine)


def _geometry() -> list[dict[str, Any]]:
    views: tuple[dict[str, Any], ...] = (
        {"zoom": 1.0, "pan": (0.5, 0.5), "stretch": 1.0, "width_px": 960, "height_px": 540},
        {"zoom": 3.5, "pan": (0.2, 0.9), "stretch": 1.7, "width_px": 320, "height_px": 480},
        {
            "zoom": 2.0,
            "pan": (0.4, 0.6),
            "stretch": 1.0,
            "width_px": 640,
            "height_px": 480,
            "north_up": True,
        },
    )
    turned: tuple[dict[str, Any], ...] = (
        {
            "zoom": 1.5,
            "pan": (0.3, 0.6),
            "stretch": 1.7,
            "width_px": 640,
            "height_px": 480,
            "rotation": 90,
        },
        {
            "zoom": 0.75,
            "pan": (0.3, 0.6),
            "stretch": 1.2,
            "width_px": 640,
            "height_px": 480,
            "rotation": 270,
            "flip_x": True,
        },
        {
            "zoom": 0.5,
            "pan": (0.1, 0.6),
            "stretch": 1.0,
            "width_px": 480,
            "height_px": 640,
            "rotation": 180,
            "flip_y": True,
            "north_up": True,
        },
    )
    cases = []
    laid = [*product(volumes(), range(3), views)]
    some = [item for item in volumes() if item[0] in _TURNED]
    laid += product(some, range(3), turned)
    for (name, info), normal, view in laid:
        place = place_slice(info, normal, **view)
        pixel = place.to_pixel(10, 20.25)
        cases.append(
            {
                "name": f"{name}, axis {normal}, zoom {view['zoom']}",
                "info": info,
                "normal": normal,
                "view": view,
                "plane": {
                    "normal": normal,
                    "columnAxis": place.plane.column_axis,
                    "rowAxis": place.plane.row_axis,
                    "flipX": place.plane.flip_x,
                    "flipY": place.plane.flip_y,
                    "letters": place.plane.letters,
                },
                "rect": (place.x0_px, place.y0_px, place.width_px, place.height_px),
                "pixel": pixel,
            }
        )
    return cases


def _frame() -> dict[str, Any]:
    header = FrameHeader(
        flags=int(FrameFlags.KEY | FrameFlags.EXACT),
        axis=2,
        lod=3,
        channel=1,
        width_px=1280,
        height_px=720,
        frame_no=0x7FFFFFFE,
        revision=0xFFFFFFFE,
        timestamp_90k=0x80000001,
        slice_idx=123456,
        zoom=1.5,
        pan_x=0.25,
        pan_y=0.75,
        stretch=2.0,
        window=1500.0,
        level=-40.0,
        colormap_idx=6,
        is_reversed=1,
        is_north_up=1,
        turn=9,
    )
    pane = PaneHeader(
        pane=1,
        is_exact=1,
        content=65535,
        x_px=16,
        y_px=720,
        width_px=640,
        height_px=360,
        axis=0,
        lod=2,
        channel=3,
        slice_idx=654321,
        zoom=2.5,
        pan_x=0.125,
        pan_y=0.875,
        stretch=0.5,
        window=0.25,
        level=-0.5,
        colormap_idx=5,
        is_reversed=1,
        turn=6,
    )
    several = msgspec.structs.replace(header, n_panes=2, panes=(pane, pane))
    return {
        "hex": header.pack().hex(),
        "header": header,
        "several_hex": several.pack().hex(),
        "several": several,
    }


def _server_messages() -> list[dict[str, Any]]:
    info = _volume("seismic", None)
    messages: list[protocol.ServerMessage] = [
        protocol.Welcome(session="s", peer=1, role="owner", state=first_state(info), info=info),
        view_messages.State(seq=7, state=first_state(info)),
        protocol.Status(
            worker="ready",
            encoder="libx264",
            codec="h264",
            loaded=LoadedSlices(axis=1, runs=((0, 63), (128, 191))),
        ),
        view_messages.Value(n=1, voxel=(1, 2, 3), value=None),
        view_messages.Info(info=info),
        protocol.Error(code="state", message="zoom = 1000 is out of range."),
        protocol.Ended(reason="closed"),
    ]
    return [{"name": type(message).__name__, "text": _text(message)} for message in messages]


def _presets() -> list[dict[str, Any]]:
    """Channels of every kind, with the windows that their menu has."""
    info = _volume("seismic", None)
    spread = tuple(float(v) for v in range(-6, 7))
    signed = {"percentiles": spread, "abs_percentiles": (1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 6.0)}
    channels = {
        "amplitudes": ("seismic", signed),
        "amplitudes of an older import": (
            "seismic",
            {"percentiles": spread, "abs_percentiles": (1.0, 2.0, 3.0, 4.0, 5.0, 7.0)},
        ),
        "amplitudes of an array": ("generic", signed),
        "ct by its unit": ("generic", {"unit": "HU", "percentiles": spread}),
        "ct by its range": ("medical", {"value_min": -1024.0, "value_max": 3071.0}),
        "mr": ("medical", {"value_min": 0.0, "value_max": 90.0, "percentiles": spread}),
        "labels": ("medical", {"value_min": 0.0, "value_max": 9.0, "is_label": True}),
        "one value": ("generic", {"value_min": 5.0, "value_max": 5.0}),
    }
    cases = []
    for name, (kind, changes) in channels.items():
        channel = msgspec.structs.replace(_CHANNEL, **changes)  # type: ignore[arg-type]  # a table
        shown = msgspec.structs.replace(info, kind=kind, channels=(channel,))
        cases.append({"name": name, "info": shown, "presets": presets_of(shown, channel)})
    return cases


def _linking() -> dict[str, Any]:
    """Have views follow another in a volume that lies otherwise, or is another."""
    by_name = dict(volumes())
    for name, spacing in (("survey east", 4.0), ("survey turned", 2.0)):
        info = by_name[name]
        samples = msgspec.structs.replace(info.axes[2], unit="ms", step=spacing)
        axes = (info.axes[0], info.axes[1], samples)
        by_name[name] = msgspec.structs.replace(info, world_unit="m", axes=axes)
    small = by_name["medical ras"]
    i, j, k = (msgspec.structs.replace(axis, n=axis.n // 3) for axis in small.axes)
    by_name["small"] = msgspec.structs.replace(small, axes=(i, j, k))
    pairs = (
        ("medical ras", "medical lps"),
        ("medical lps", "medical permuted"),
        ("medical tilted", "medical ras"),
        ("medical ras", "small"),
        ("small", "medical permuted"),
        ("survey east", "survey turned"),
        ("generic", "medical ras"),
    )
    what: tuple[LinkKind, ...] = ("plane", "slice", "camera", "window")
    wide, high = {"width_px": 640, "height_px": 480}, {"width_px": 300, "height_px": 420}
    cases = []
    for (one, other), axis in product(pairs, range(3)):
        leader, follower = by_name[one], by_name[other]
        n = leader.shape
        lies = {"rotation": (270, 0, 90)[axis], "flip_x": axis == 2, "flip_y": axis == 0}
        before = first_state(leader).with_patch({"axis": (axis + 1) % 3} | wide | lies, leader)
        moves: dict[str, Any] = {"axis": axis, "slice_idx": (n[0] // 3, n[1] - 1, 7), "level": 0.25}
        moves |= {"zoom": 2.5, "pan": (0.3, 0.6), "stretch": 1.4}
        now = before.with_patch(moves, leader)
        turn = {"rotation": 90 * axis, "flip_x": axis == 1}
        state = first_state(follower).with_patch(high | turn, follower)
        patch = Guide(leader, follower, what).patch(before, now, state)
        cases.append(
            {
                "name": f"{one} leads {other}, axis {axis}",
                "leader": one,
                "follower": other,
                "what": what,
                "before": before,
                "now": now,
                "state": state,
                "patch": patch,
            }
        )
    used = {name: by_name[name] for pair in pairs for name in pair}
    return {"volumes": used, "cases": cases}


def _sections() -> dict[str, Any]:
    """Lay the grids of fences and planes, and say which place lies where in them."""
    by_name = {name: info for name, info in volumes() if name in _SECTIONED}
    cases = []
    for name, info in by_name.items():
        fence = Fence(((2.0, 3.5), (40.25, 60.0), (41.0, 10.0), (90.0, 10.0)))
        planes = [plane_across(info, axis, (45.0, 50.0, 20.0)) for axis in range(3)]
        tilted = turned(turned(planes[0], (0, 0, 1), 31), (1, 2, 0.5), -17, (40.0, 30.0, 10.0))
        sections: list[Section] = [fence, *planes, tilted]
        for section in sections:
            grid = grid_of(section, info)
            flat = section_info(info, section)
            place = grid.voxel(12.25, 7.5)
            cases.append(
                {
                    "name": f"{type(section).__name__} of {name}",
                    "volume": name,
                    "section": section,
                    "columns": grid.n_columns,
                    "rows": grid.n_rows,
                    "steps": (grid.column_step, grid.row_step),
                    "nodes": grid.nodes,
                    "kind": flat.kind,
                    "down": flat.axes[2].name,
                    "place": place,
                }
            )
        cases[-1] |= {"turned": turned(tilted, (0.3, -1, 2), 77.7, (1.0, 2.0, 3.0))}
    return {"volumes": by_name, "cases": cases}


def _text(message: protocol.ServerMessage) -> str:
    return protocol.encode(message).decode()


def generate() -> str:
    """Text of the fixture file."""
    table = {"geometry": _geometry(), "frame": _frame(), "server": _server_messages()}
    table |= {"presets": _presets(), "linking": _linking(), "sections": _sections()}
    return json.dumps(msgspec.to_builtins(table), indent=1) + "\n"


def main() -> int:
    """Write the file."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(generate(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
