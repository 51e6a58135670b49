"""Colours as users give them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from blustream_widget._colors import base_of, catalogue_map, color_hex, own_map, styled_labels
from blustream_widget.core.colormaps import COLOR_LEVELS
from blustream_widget.core.types import Channel
from blustream_widget.errors import StateError

LABELS = Channel(
    name="fault",
    unit="",
    dtype="uint8",
    value_min=0,
    value_max=3,
    label_names={9: "salt"},
    is_label=True,
)
AMPLITUDE = Channel(name="amplitude", unit="", dtype="float32", value_min=-1, value_max=1)


def table(palette):
    return np.frombuffer(palette.colors, np.uint8).reshape(-1, 3)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, ""),
        ("", ""),
        ("#FF8800", "#ff8800"),
        ("#f80", "#ff8800"),
        ("orange", "#ffa500"),
        ((255, 136, 0), "#ff8800"),
        ((1.0, 0.5, 0.0), "#ff8000"),
        (np.array([0, 0, 255], np.uint8), "#0000ff"),
    ],
)
def test_a_color_is_taken_as_people_write_it(given, wanted) -> None:
    assert color_hex("below_color", given) == wanted


@pytest.mark.parametrize(
    "given", ["no such", (1, 2), (300, 0, 0), (2.0, 0.0, 0.0), (np.nan, 0, 0), 5, "#12345", True]
)
def test_what_is_no_color_is_one_error_that_names_the_setting(given) -> None:
    with pytest.raises(StateError, match=r"below_color = .* is not a colour"):
        color_hex("below_color", given)


def test_a_table_of_1024_colours_stays_as_it_is() -> None:
    colors = np.random.default_rng(1).integers(0, 256, (COLOR_LEVELS, 3)).astype(np.uint8)
    assert np.array_equal(table(own_map(colors)), colors)
    assert np.array_equal(table(own_map(colors / 255)), colors)


def test_few_colours_are_linear_in_between_and_name_themselves() -> None:
    given = own_map(["black", "#ffffff"], title="mine")
    assert given.title == "mine"
    assert table(given)[[0, 512, -1]].tolist() == [[0] * 3, [128] * 3, [255] * 3]
    assert given.name == own_map(np.array([[0.0] * 3, [1.0] * 3])).name
    assert given.name != own_map(["black", "red"]).name


def test_a_map_of_another_package_is_asked_for_its_colours() -> None:
    class Steps:
        name = "steps"

        def __call__(self, x):
            return np.where(x[:, None] < 0.5, [0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0])

    given = own_map(Steps())
    assert given.title == "steps"
    assert table(given)[[511, 512]].tolist() == [[0, 0, 255], [255, 0, 0]]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((5, 2)), r"shape \(5, 2\)"),
        (np.zeros(3), "not a table"),
        (np.zeros((1, 3)), "2 to 65536 colours, not 1"),
        ([], "not a table"),
        (np.array([[0.0, 0, 0], [np.nan, 0, 0]]), "not finite"),
        (np.array([[0.0, 0, 0], [255.0, 0, 0]]), "from 0 to 255, not from 0 to 1"),
        (np.array([[0, 0, 0], [0, -1, 0]]), "from -1 to 0, not from 0 to 255"),
        (np.array([[0, 0, 0, 0], [1, 1, 1, 1.0]]), "alpha must be 1"),
        ([[0, 0, 0], [1, 1]], "different lengths"),
        (["red", "no such"], "is not a colour"),
        (["red", None], "is missing"),
        (["red"], "not 1"),
        (5, "not a table"),
        (lambda _x: 1 / 0, "fails: division"),
        (lambda _x: "?", "not a table"),
    ],
)
def test_what_is_no_map_is_one_error(given, words) -> None:
    with pytest.raises(StateError, match=words):
        own_map(given)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("vik", ("vik", False)),
        ("vik_r", ("vik", True)),
        ("RdBu_r", ("rdbu", True)),
        ("gray", ("grey", False)),
        ("user-00c0ffee_r", ("user-00c0ffee", True)),
    ],
)
def test_names_are_taken_as_people_write_them(given, wanted) -> None:
    assert base_of(given) == wanted


def test_the_whole_catalogue_is_there_by_full_name() -> None:
    assert catalogue_map("cmasher:rainforest").title == "cmasher:rainforest"
    with pytest.raises(StateError, match="no colour map 'cmasher:none'"):
        catalogue_map("cmasher:none")


def test_labels_take_colours_and_names_by_value() -> None:
    style = styled_labels({3: "orange", 9: None}, {9: "halite"}, [AMPLITUDE, LABELS])
    assert (style.colors, style.names) == ({3: "#ffa500"}, {9: "halite"})
    assert style.name == styled_labels({3: "#ffa500"}, {9: "halite"}, [LABELS]).name


@pytest.mark.parametrize(
    ("colors", "names", "channels", "words"),
    [
        ({4: "red"}, {}, [LABELS], r"no label 4.*fault 0 to 3"),
        ({-1: "red"}, {}, [LABELS], "no label -1"),
        ({}, {4: "salt"}, [LABELS], "no label 4"),
        ({1.5: "red"}, {}, [LABELS], "1.5 is not a whole number"),
        ({"salt": "red"}, {}, [LABELS], "'salt' is not a whole number"),
        ({1: "no such"}, {}, [LABELS], "colour of label 1"),
        ({}, {1: ""}, [LABELS], "text of 1 to 64"),
        ({1: "red"}, {}, [AMPLITUDE], "has no labels"),
    ],
)
def test_a_wrong_label_is_one_error(colors, names, channels, words) -> None:
    with pytest.raises(StateError) as caught:
        styled_labels(colors, names, channels)
    assert re.search(words, f"{caught.value.message} {caught.value.hint}")
