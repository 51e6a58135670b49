"""The measures made by hand, which the page's unit tests check as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from blustream_widget.core.annotation import annotation
from blustream_widget.core.measures import quantities_of
from blustream_widget.core.types import VolumeInfo

_TABLE = json.loads(
    (Path(__file__).parents[2] / "vectors" / "measures.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("number", range(len(_TABLE["cases"])))
def test_measures_are_those_made_by_hand(number: int) -> None:
    case: dict[str, Any] = _TABLE["cases"][number]
    volume = {"name": "v", "channels": [], **_TABLE["volumes"][case["volume"]]}
    info = msgspec.convert(volume, VolumeInfo)
    drawn = dict(case["item"])
    item = annotation(drawn.pop("kind"), drawn.pop("points"), **drawn)
    found = {quantity.name: quantity for quantity in quantities_of(item, info)}
    for wanted in case["quantities"]:
        quantity = found[wanted["name"]]
        assert quantity.unit == wanted["unit"]
        assert quantity.value == pytest.approx(wanted["value"], rel=1e-9, abs=1e-9)
