"""`blustream bench read`: the cases run, count right, and are set beside the references."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from blustream_widget.bench import read
from blustream_widget.bench.read_eye import Eye, Look, Watched
from blustream_widget.bench.read_volumes import BenchVolume, Reference
from blustream_widget.errors import ConfigError
from blustream_widget.testing.formula_source import FormulaSource
from blustream_widget.testing.held_volume import HeldTiles
from blustream_widget.testing.volumes import ramp_volume


def options(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.set_defaults(rounds=1)
    read.add_arguments(parser)
    return parser.parse_args(argv)


def test_a_volume_by_formula_needs_no_file(tmp_path) -> None:
    records = read.run(
        options(
            *("--sizes", "192", "--codecs", "formula", "--references", "none"),
            *("--cases", "first,pane,scrub,cancel,hits", "--folder", str(tmp_path)),
        )
    )
    assert list(tmp_path.iterdir()) == []
    panes = [record for record in records if record["case"] == "1280x720 pane, at rest"]
    assert {(record["axis"], record["state"]) for record in panes} == {
        (axis, state) for axis in read.AXES for state in ("made", "cached", "cut from memory")
    }
    assert all(record["median_ms"] > 0 for record in panes)
    (scrub,) = (record for record in records if record["case"].startswith("scrub"))
    assert 0 <= scrub["lod0_or_finer_percent"] <= scrub["lod2_or_finer_percent"] <= 100
    (hits,) = (record for record in records if "hits_percent" in record)
    assert 95 < hits["hits_percent"] < 100


@pytest.mark.parametrize(
    ("argument", "value"),
    [("--codecs", "mp3"), ("--cases", "none"), ("--references", "hdf5"), ("--sizes", "12")],
)
def test_what_does_not_exist_is_one_error_that_names_it(argument: str, value: str) -> None:
    with pytest.raises(ConfigError, match=value):
        read.run(options(argument, value))


def test_slices_are_set_beside_the_references_of_the_same_state() -> None:
    def record(codec: str, state: str, median_ms: float) -> dict[str, object]:
        words = {"volume": "1x1x1", "case": "slice", "axis": "inline", "lod": "0"}
        return {**words, "codec": codec, "state": state, "median_ms": median_ms}

    records = read.with_ratios(
        [
            record("memmap", "os-warm", 2.0),
            record("memmap", "cold", 40.0),
            record("zarr", "os-warm", 20.0),
            record("none", "os-warm", 10.0),
            record("none", "cold", 20.0),
            record("none", "cached", 1.0),
        ]
    )
    assert [r.get("of_memmap_ratio") for r in records] == [None, None, None, 5.0, 0.5, 0.5]
    assert [r.get("of_zarr_ratio") for r in records] == [None, None, None, 0.5, None, 0.05]


def test_an_eye_sees_whole_slices() -> None:
    source = FormulaSource((70, 80, 90), brick_size=16)
    eye = Eye(source)
    assert eye.see(Look(1), 33) > 0
    data = eye.reader.read(1, 33, 0, 0)
    np.testing.assert_array_equal(data.values, source.array()[:, 33])
    eye.close()
    source.close()


def test_a_pane_of_a_huge_volume_needs_a_coarser_level_and_not_more_voxels() -> None:
    source = FormulaSource((4096, 2048, 2048))
    for axis in range(3):
        look = Look.through_pane(source.info, axis, in_motion=True)
        assert look.lod >= 1
        assert look.region is not None
        a0, a1, b0, b1 = look.region
        assert ((a1 - a0) >> look.lod) * ((b1 - b0) >> look.lod) <= 2 * 1280 * 720
    source.close()


def test_a_watched_source_knows_what_is_open() -> None:
    held = HeldTiles(ramp_volume((40, 40, 40)))
    watched = Watched(held)
    eye = Eye(watched)
    assert watched.tile_size == 32
    eye.reader.read(0, 5, 0, 0)
    first = watched.open_keys()
    assert first == set(held.pending)
    held.deliver_all()
    watched.wait_for(first)
    assert watched.open_keys() == set()
    assert watched.n_asked == 4
    eye.close()


def test_references_hold_the_numbers_of_the_volume(tmp_path) -> None:
    pytest.importorskip("zarr")
    shape = (64, 70, 130)
    volume = BenchVolume(tmp_path, shape, "none")
    volume.make()
    source = volume.open()
    eye = Eye(source)
    for axis in range(3):
        eye.see(Look(axis), 40)
        ours = eye.reader.read(axis, 40, 0, 0).values
        for kind in ("memmap", "zarr"):
            np.testing.assert_array_equal(Reference(tmp_path, shape, kind).read(axis, 40), ours)
    eye.close()
    source.close()
