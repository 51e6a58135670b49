"""Annotations of one section as GeoJSON, for programs that know maps and drawings.

Coordinates are the numbers of the section's two axes, as rulers show them: inline and crossline
numbers, milliseconds. What GeoJSON has no word for (an ellipse, the exact voxel coordinates) is in
the properties, from which reading takes it: there and back nothing is lost.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from blustream_widget.core.annotation import MAX_ANNOTATIONS, Annotation, check_annotation, typed
from blustream_widget.core.types import Axis, VolumeInfo
from blustream_widget.errors import AnnotationError

_ELLIPSE_VERTICES = 64
_GEOMETRIES = {"Point": "point", "LineString": "polyline", "Polygon": "polygon"}


def to_geojson(items: Iterable[Annotation], info: VolumeInfo, *, axis: int, slice_idx: int) -> str:
    """FeatureCollection of the annotations that lie in a section: within half a voxel of it.

    Of a 3-D box that the section cuts, the geometry is the cut, and `points` in the properties are
    both corners.

    Parameters
    ----------
    items : iterable of Annotation
    info : VolumeInfo
    axis, slice_idx : int
        Of the section.
    """
    across, in_plane = info.axes[axis], _in_plane(axis)
    features = [
        _feature(item, [info.axes[a] for a in in_plane], in_plane)
        for item in items
        if _is_in(item, axis, slice_idx)
    ]
    return json.dumps(
        {
            "type": "FeatureCollection",
            "section": {
                "axis": axis,
                "slice_idx": slice_idx,
                "name": across.name,
                "number": across.first + across.step * slice_idx,
                "coordinates": [
                    {"name": info.axes[a].name, "unit": info.axes[a].unit} for a in in_plane
                ],
            },
            "features": features,
        },
        allow_nan=False,
    )


def from_geojson(
    text: str, info: VolumeInfo, *, axis: int | None = None, slice_idx: int | None = None
) -> list[Annotation]:
    """Annotations of a FeatureCollection.

    Parameters
    ----------
    text : str
        As `to_geojson` writes it, or of another program: then its coordinates are numbers of the
        section's axes.
    info : VolumeInfo
    axis, slice_idx : int, optional
        Of the section; default: as the text says.

    Raises
    ------
    AnnotationError
        It is not GeoJSON, or names the feature that cannot be read.
    """
    try:
        data = json.loads(text, parse_constant=_refuse)
        features = data["features"]
        section = data.get("section", {})
        axis = int(section["axis"]) if axis is None else axis
        slice_idx = int(section["slice_idx"]) if slice_idx is None else slice_idx
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise AnnotationError(
            f"This is not a FeatureCollection with a section: {type(exc).__name__}.",
            hint="Give axis= and slice_idx= for GeoJSON of other programs.",
        ) from exc
    if axis not in (0, 1, 2):
        raise AnnotationError(f"There is no axis {axis}.", hint="Give 0, 1 or 2.")
    if not isinstance(features, list) or len(features) > MAX_ANNOTATIONS:
        raise AnnotationError(f"There are no features, or more than {MAX_ANNOTATIONS}.")
    return [
        _read(feature, info, axis, slice_idx, number) for number, feature in enumerate(features, 1)
    ]


def _is_in(item: Annotation, axis: int, slice_idx: int) -> bool:
    across = [point[axis] - slice_idx for point in item.points]
    if item.kind == "box":
        return min(across) <= 0.5 and max(across) >= -0.5
    return all(abs(distance) <= 0.5 for distance in across)


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is not a number")


def _in_plane(axis: int) -> tuple[int, int]:
    first, second = (a for a in range(3) if a != axis)
    return first, second


def _feature(item: Annotation, axes: Sequence[Axis], in_plane: tuple[int, int]) -> dict[str, Any]:
    flat = [(point[in_plane[0]], point[in_plane[1]]) for point in item.points]
    kind, shape = _geometry(item, flat)

    def numbers(place: Any) -> Any:
        if isinstance(place, tuple):
            pairs = zip(axes, place, strict=True)
            return [axis.first + axis.step * v for axis, v in pairs]
        return [numbers(one) for one in place]

    properties = msgspec.to_builtins(item)
    del properties["id"]
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": {"type": kind, "coordinates": numbers(shape)},
        "properties": properties,
    }


_Flat = list[tuple[float, float]]


def _geometry(item: Annotation, flat: _Flat) -> tuple[str, Any]:
    if len(flat) == 1:
        return "Point", flat[0]
    if item.kind == "cobb":
        return "MultiLineString", [flat[:2], flat[2:]]
    if item.kind == "horizon":
        return "MultiPoint", flat
    if not item.is_region:
        return "LineString", flat
    if item.kind in ("rectangle", "box"):
        (a, b), (c, d) = flat
        flat = [(a, b), (c, b), (c, d), (a, d)]
    elif item.kind == "ellipse":
        flat = _around(flat)
    return "Polygon", [[*flat, flat[0]]]


def _around(corners: _Flat) -> _Flat:
    (a, b), (c, d) = corners
    turns = [2 * math.pi * n / _ELLIPSE_VERTICES for n in range(_ELLIPSE_VERTICES)]
    return [
        ((a + c) / 2 + (c - a) / 2 * math.cos(t), (b + d) / 2 + (d - b) / 2 * math.sin(t))
        for t in turns
    ]


def _read(feature: Any, info: VolumeInfo, axis: int, slice_idx: int, number: int) -> Annotation:
    try:
        properties = dict(feature.get("properties") or {})
        if "kind" in properties and "points" in properties:
            key = feature.get("id")
            item = typed(properties | ({"id": key} if key is not None else {}))
        else:
            item = _foreign(feature["geometry"], properties, info, axis, slice_idx)
        check_annotation(item, None)
    except AnnotationError as exc:
        raise AnnotationError(f"Feature {number}: {exc.message}", hint=exc.hint) from exc
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise AnnotationError(
            f"Feature {number} is not an annotation: {type(exc).__name__}."
        ) from exc
    return item


def _foreign(
    geometry: Any, properties: dict[str, Any], info: VolumeInfo, axis: int, slice_idx: int
) -> Annotation:
    kind = _GEOMETRIES.get(geometry["type"])
    if kind is None:
        raise AnnotationError(
            f"Its geometry is a {str(geometry['type'])[:40]}.",
            hint=f"Known: {', '.join(_GEOMETRIES)}.",
        )
    places = geometry["coordinates"]
    if kind == "point":
        places = [places]
    elif kind == "polygon":
        if len(places) != 1:
            raise AnnotationError("A polygon with holes is not an annotation.")
        places = places[0][:-1]
    in_plane = _in_plane(axis)
    points = []
    for place in places:
        voxel = [float(slice_idx)] * 3
        for a, coordinate in zip(in_plane, place[:2], strict=True):
            voxel[a] = (float(coordinate) - info.axes[a].first) / info.axes[a].step
        points.append(tuple(voxel))
    label = properties.get("name", properties.get("label", ""))
    return typed({"kind": kind, "points": points, "axis": axis, "label": str(label)[:256]})
