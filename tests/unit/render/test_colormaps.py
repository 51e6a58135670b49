"""Colour maps: what people expect of their ends and middle, labels, and the browser's copy."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from blustream_widget.core.colormaps import COLORMAPS, LABEL_PERIOD
from blustream_widget.errors import StateError
from blustream_widget.render.colormaps import LEVELS, label_color, rgb_table

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "generate_colormaps.py"


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_name_of_the_state_has_a_table(name) -> None:
    table = rgb_table(name)
    assert table.shape == (LEVELS, 3)
    assert table.dtype == np.uint8
    assert not table.flags.writeable


@pytest.mark.parametrize("name", [n for n in COLORMAPS if n != "labels"])
def test_reverse_begins_where_the_map_ends(name) -> None:
    assert np.array_equal(rgb_table(name, reverse=True), rgb_table(name)[::-1])


def test_grey_shows_8_bit_values_unchanged() -> None:
    value = np.arange(256)
    entry = np.minimum(value / 255 * LEVELS, LEVELS - 1).astype(int)
    assert np.array_equal(rgb_table("grey")[entry, 0], value)


@pytest.mark.parametrize(
    "name", ["seismic", "red-white-blue", "black-white-red", "brown-white-grey"]
)
def test_zero_amplitude_is_white_in_diverging_maps(name) -> None:
    middle = rgb_table(name)[LEVELS // 2].astype(int)
    assert middle.min() >= 245
    assert np.ptp(middle) <= 2


def test_seismic_is_blue_for_low_and_red_for_high() -> None:
    table = rgb_table("seismic").astype(int)
    for at in (0, LEVELS // 8, LEVELS // 4):
        assert table[at].argmax() == 2
        assert table[LEVELS - 1 - at].argmax() == 0


def lightness(rgb: np.ndarray) -> np.ndarray:
    """L of OKLab, 0 to 1, of sRGB colours, shape (..., 3)."""
    part = rgb / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2817], [0.0514, 0.1074, 0.6300]]
    )
    return np.cbrt(cones) @ np.array([0.2105, 0.7936, -0.0041])


def test_seismic_darkens_evenly_and_alike_on_both_sides() -> None:
    steps = lightness(rgb_table("seismic")[np.linspace(0, LEVELS - 1, 17).astype(int)])
    np.testing.assert_allclose(np.diff(steps[:9]), np.diff(steps[:9]).mean(), atol=0.012)
    np.testing.assert_allclose(steps, steps[::-1], atol=0.02)


def test_label_zero_is_black_and_neighbours_differ_clearly() -> None:
    table = rgb_table("labels").astype(int)
    assert table[0].tolist() == [0, 0, 0]
    assert np.abs(np.diff(table[1:], axis=0)).sum(axis=1).min() > 80
    assert table[1:].max(axis=1).min() > 100


def test_label_colors_repeat_without_the_background() -> None:
    assert label_color(5 + LABEL_PERIOD) == label_color(5)
    assert label_color(LABEL_PERIOD) != (0, 0, 0)


def test_unknown_map_names_the_known_ones() -> None:
    with pytest.raises(StateError, match="grey"):
        rgb_table("rainbow")


def test_the_browsers_copy_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("generate_colormaps", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.TARGET.read_text(encoding="utf-8") == script.generate(), (
        "colormaps.ts is stale: run python scripts/generate_colormaps.py"
    )
