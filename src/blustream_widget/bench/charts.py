"""Charts of benchmark records, readable on a light and on a dark page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from blustream_widget.bench.numbers import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# No background; text and lines in a grey of 4.5:1 on white and on black. The hues differ in
# lightness, so that they are told apart without colour too.
_INK = "#767676"
_FAINT = "#76767640"
_BLUE, _ORANGE, _GREEN = "#3b82c4", "#e08a2e", "#4aa564"
_WIDTH_IN = 8.0
_ROW_IN = 0.26

Chart = Callable[[Sequence[Record]], "Figure | None"]


def draw_cost(records: Sequence[Record]) -> Figure | None:
    """Processor time of drawing, and of drawing and encoding, for each scene."""
    drawn = _of(records, case="draw")
    if not drawn:
        return None
    whole = {r["scene"]: r["cpu_median_ms"] for r in _of(records, case="draw and encode")}
    reference = _of(records, case="draw, RGB detour (reference)")
    rows = [(r["scene"], r["cpu_median_ms"], whole.get(r["scene"], 0.0)) for r in drawn]
    rows += [(f"RGB detour, {r['scene']}", r["cpu_median_ms"], 0.0) for r in reference]
    figure, axes = _figure(len(rows))
    _stack(
        axes,
        [name for name, *_ in rows],
        {
            "draw": ([draw for _, draw, _ in rows], _BLUE),
            "encode": ([max(both - draw, 0.0) for _, draw, both in rows], _ORANGE),
        },
    )
    for target_ms in (4.0, 12.0):
        axes.axvline(target_ms, color=_INK, linewidth=0.8, linestyle="--")
        axes.text(target_ms, -0.75, f" {target_ms:g} ms", color=_INK, fontsize=8)
    axes.set_xlabel("processor time of a picture of 1280 x 720, ms")
    return figure


def encoder_settings(records: Sequence[Record]) -> Figure | None:
    """Processor time of each setting, changed by itself, and the quality it gives in a scrub."""
    found = [
        r
        for r in _of(records, case="setting", motion="scrolling")
        if "Mbit/s" not in r["setting"] and "quantiser" not in r["setting"]
    ]
    if not found:
        return None
    found.sort(key=lambda r: -r["psnr_median_db"])
    figure, axes = _figure(len(found))
    _stack(
        axes,
        [r["setting"] for r in found],
        {"": ([r["cpu_median_ms"] for r in found], _BLUE)},
        ends=[f"{r['psnr_median_db']:.1f} dB, at least {r['psnr_min_db']:.1f}" for r in found],
    )
    for row, record in enumerate(found):
        if record["setting"].startswith("in use"):
            axes.patches[row].set_facecolor(_ORANGE)
    axes.set_xlabel("processor time of a picture in a scrub at 20 Mbit/s, ms; PSNR of luma")
    axes.margins(x=0.3)
    return figure


def stills(records: Sequence[Record]) -> Figure | None:
    """From the drawn picture to the decoded one, by format."""
    found = _of(records, case="still")
    if not found:
        return None
    figure, axes = _figure(len(found))
    _stack(
        axes,
        [f"{_short(r['scene'])}: {r['format']}" for r in found],
        {
            "encode": ([r["wall_median_ms"] for r in found], _BLUE),
            "50 Mbit/s": ([r["size_median_bytes"] * 8 / 50e3 for r in found], _ORANGE),
            "decode in the browser": ([r["decode_median_ms"] for r in found], _GREEN),
        },
    )
    axes.set_xlabel("time to the lossless picture, ms")
    return figure


def memory(records: Sequence[Record]) -> Figure | None:
    """Resident memory in the course of the interactions."""
    found = _of(records, case="resident memory")
    if not found:
        return None
    figure, axes = _figure(2 * len(found))
    looks = (("start_mb", "first picture"), ("after_tenth_mb", "after a tenth"), ("end_mb", "end"))
    names = [f"{r['process']}, {word}" for r in found for _, word in looks]
    values = [r[key] for r in found for key, _ in looks]
    _stack(axes, names, {"": (values, _BLUE)})
    axes.set_xlabel(f"resident memory, MB; {found[0]['interactions']} interactions")
    return figure


def medians(records: Sequence[Record]) -> Figure | None:
    """Any records with a median in milliseconds, one bar each."""
    found = [r for r in records if r.get("median_ms") is not None]
    if not found:
        return None
    figure, axes = _figure(len(found))
    _stack(
        axes,
        [_words(r) for r in found],
        {"": ([r["median_ms"] for r in found], _BLUE)},
        ends=[f"{_number(r['median_ms'])} ± {_number(r.get('noise_ms') or 0.0)}" for r in found],
    )
    axes.set_xlabel("median and its noise, ms")
    return figure


CHARTS: dict[str, Chart] = {
    "draw-cost": draw_cost,
    "encoder-settings": encoder_settings,
    "stills": stills,
    "memory": memory,
}
"""Charts by the name of their file; records of no chart here get `medians`."""


def _of(records: Sequence[Record], **words: str) -> list[Record]:
    return [
        r
        for r in records
        if all(r.get(key) == word for key, word in words.items()) and "not available" not in r
    ]


def _words(record: Record) -> str:
    return ", ".join(value for value in record.values() if isinstance(value, str) and value)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _short(scene: str) -> str:
    return re.sub(r" \d+ x \d+", "", scene)


def _figure(n_rows: int) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH_IN, 1.0 + _ROW_IN * n_rows), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    return figure, axes


def _stack(
    axes: Axes,
    names: Sequence[str],
    parts: dict[str, tuple[Sequence[float], str]],
    *,
    ends: Sequence[str] = (),
) -> None:
    """Horizontal bars from top to bottom, the parts end to end, the sum (or `ends`) behind."""
    sums = [0.0] * len(names)
    for label, (values, color) in parts.items():
        axes.barh(
            range(len(names)), values, left=sums, color=color, height=0.7, label=label or None
        )
        sums = [before + value for before, value in zip(sums, values, strict=True)]
    for row, (total, words) in enumerate(
        zip(sums, ends or [_number(total) for total in sums], strict=True)
    ):
        axes.text(total, row, f" {words}", va="center", fontsize=8, color=_INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    if len(parts) > 1:
        axes.legend(
            frameon=False,
            fontsize=8,
            labelcolor=_INK,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(parts),
        )
