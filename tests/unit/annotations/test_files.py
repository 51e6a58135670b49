"""There and back: CSV, frames and GeoJSON lose nothing, and bad ones are one error."""

from __future__ import annotations

import builtins
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.annotations import geojson, table
from blustream_widget.core.annotation import _EXACT_POINTS, ANNOTATION_KINDS, annotation
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import AnnotationError, MissingDependencyError

INFO = VolumeInfo(
    "survey",
    "seismic",
    (
        Axis("inline", "", 100, 1000.0, 2.0, 25.0),
        Axis("crossline", "", 80, 2000.0, 1.0, 12.5),
        Axis("sample", "ms", 500, 200.0, 4.0, 4.0),
    ),
    (Channel("a", "", "float32", 0, 1),),
    world_unit="m",
)
SECTION = 40

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf"]), max_size=20)
written = st.sampled_from(["=1+1", "'quoted", 'a,b\n"c"', "-5", "@x", "", " "]) | texts


@st.composite
def annotations(draw):
    kind = draw(st.sampled_from(ANNOTATION_KINDS))
    least = 3 if kind in ("polygon", "freehand") else 2
    n = _EXACT_POINTS.get(kind) or draw(st.integers(least, 6))
    place = st.tuples(st.just(float(SECTION)), st.floats(0, 79), st.floats(0, 499))
    points = draw(st.lists(place, min_size=n, max_size=n))
    if kind == "box":  # one without a volume is none
        points = [(SECTION - 1.0, 2.0, 3.0), (SECTION, *(v + 5 for v in points[1][1:]))]
    return annotation(
        kind,
        points,
        axis=0 if kind != "box" else draw(st.sampled_from([0, None])),
        label=draw(written),
        text=draw(written),
        group=draw(written),
        color=draw(st.sampled_from(["#000000", "#Ab12fF"])),
        width=draw(st.floats(0.5, 20)),
        visible=draw(st.booleans()),
        locked=draw(st.booleans()),
        closed=kind == "freehand" and draw(st.booleans()),
        author=draw(st.sampled_from(["", "owner"])),
        created_ms=draw(st.floats(0, 1e13)),
    )


def unique(items):
    return list({item.id: item for item in items}.values())


several = st.lists(annotations(), max_size=4).map(unique)


@settings(max_examples=60, deadline=None)
@given(several)
def test_csv_there_and_back(items):
    assert table.from_csv(table.to_csv(items)) == items


@settings(max_examples=30, deadline=None)
@given(several)
def test_frame_there_and_back(items):
    frame = table.to_frame(items)
    assert list(frame.index) == [item.id for item in items]
    assert table.from_frame(frame) == items


@settings(max_examples=60, deadline=None)
@given(several)
def test_geojson_there_and_back(items):
    text = geojson.to_geojson(items, INFO, axis=0, slice_idx=SECTION)
    assert geojson.from_geojson(text, INFO) == items


@pytest.mark.parametrize(("slice_idx", "is_cut"), [(9, False), (10, True), (25, True), (31, False)])
def test_geojson_of_a_section_has_the_boxes_that_it_cuts(slice_idx, is_cut):
    box = annotation("box", [(30, 4, 8), (10, 6, 2)])
    text = geojson.to_geojson([box], INFO, axis=0, slice_idx=slice_idx)
    assert geojson.from_geojson(text, INFO) == ([box] if is_cut else [])
    for feature in json.loads(text)["features"]:
        assert feature["geometry"]["type"] == "Polygon"
        assert len(feature["geometry"]["coordinates"][0]) == 5


def test_geojson_speaks_in_numbers_of_the_axes_and_of_its_section_alone():
    square = annotation("rectangle", [(40, 10, 100), (40, 20, 150)], axis=0, label="window")
    elsewhere = annotation("point", (41, 1, 1))
    data = json.loads(geojson.to_geojson([square, elsewhere], INFO, axis=0, slice_idx=40))
    (feature,) = data["features"]
    assert feature["geometry"] == {
        "type": "Polygon",
        "coordinates": [
            [[2010, 600], [2020, 600], [2020, 800], [2010, 800], [2010, 600]],
        ],
    }
    assert data["section"]["number"] == 1080.0
    assert [c["unit"] for c in data["section"]["coordinates"]] == ["", "ms"]


def test_geojson_of_another_program():
    text = json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"name": "Top"},
                    "geometry": {"type": "LineString", "coordinates": [[2010, 600], [2020, 640]]},
                }
            ],
        }
    )
    (found,) = geojson.from_geojson(text, INFO, axis=0, slice_idx=7)
    assert (found.kind, found.label) == ("polyline", "Top")
    assert found.points == ((7.0, 10.0, 100.0), (7.0, 20.0, 110.0))
    with pytest.raises(AnnotationError, match="axis="):
        geojson.from_geojson(text, INFO)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"features": 5, "section": {"axis": 0, "slice_idx": 1}}',
        '{"features": [5], "section": {"axis": 0, "slice_idx": 1}}',
        '{"features": [], "section": {"axis": 9, "slice_idx": 1}}',
        '{"features": [{"properties": {"kind": "x", "points": []}}], "section": {"axis": 0, '
        '"slice_idx": 1}}',
        '{"features": [{"geometry": {"type": "Point", "coordinates": [NaN, 1]}}], "section": '
        '{"axis": 0, "slice_idx": 1}}',
        '{"features": [{"geometry": {"type": "Point", "coordinates": "ab"}}], "section": '
        '{"axis": 0, "slice_idx": 1}}',
    ],
)
def test_what_is_not_geojson_is_one_error(text):
    with pytest.raises(AnnotationError):
        geojson.from_geojson(text, INFO)


@pytest.mark.parametrize(
    "text",
    [
        "kind,points\nline,nonsense\n",
        'kind,points\nline,"[[1,2,3]"\n',
        'kind,points\nline,"[[1,2,NaN],[1,2,3]]"\n',
        "kind,points,colour\npoint,[],red\n",
        'kind,points,visible\npoint,"[[1,2,3]]",perhaps\n',
        'points\n"[[1,2,3]]"\n',
        'kind,points\nline,"[[1,2,3]]",too,many\n',
    ],
)
def test_what_is_not_a_table_of_annotations_names_its_row(text):
    with pytest.raises(AnnotationError):
        table.from_csv(text)


def test_a_table_of_kinds_and_points_is_enough():
    (found,) = table.from_csv('kind,points\ndistance,"[[1,2,3],[4,5,6]]"\n')
    assert found.points == ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def no_pandas(name, *rest):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_pandas)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        table.to_frame([])
