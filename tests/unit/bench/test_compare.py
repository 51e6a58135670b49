"""A regression is what exceeds the measured noise; what cannot be compared is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from blustream_widget.bench.compare import compare
from blustream_widget.bench.main import main
from blustream_widget.errors import BenchError

MACHINE = {"processor": "Xeon", "cores": 2, "versions": {"numpy": "2.4"}}


def record(case: str, median_ms: float, *, noise_ms: float | None = 0.1) -> dict[str, Any]:
    return {"case": case, "median_ms": median_ms, "p95_ms": 99.0, "noise_ms": noise_ms, "n": 30}


def write(path: Path, *results: dict[str, Any], **machine: object) -> str:
    path.write_text(json.dumps({"machine": {**MACHINE, **machine}, "results": results}))
    return str(path)


@pytest.mark.parametrize(
    ("new_ms", "noise_ms", "verdict"),
    [
        (10.2, 0.01, "same"),  # less than 5 %
        (10.6, 0.01, "worse"),
        (9.4, 0.01, "better"),
        (12.0, 0.5, "same"),  # 3 * sqrt(2) * 0.5 = 2.1
        (12.2, 0.5, "worse"),
    ],
)
def test_a_change_counts_beyond_the_noise_of_both(
    new_ms: float, noise_ms: float, verdict: str
) -> None:
    old = [record("step", 10.0, noise_ms=noise_ms)]
    (change,) = compare(old, [record("step", new_ms, noise_ms=noise_ms)]).changes
    assert change.verdict == verdict


@pytest.mark.parametrize("unit", ["fps", "db", "ssim", "mb_per_s"])
def test_more_is_better_of_what_one_wants_more_of(unit: str) -> None:
    old = {"case": "scrub", f"shown_median_{unit}": 50.0, f"shown_noise_{unit}": 0.5}
    new = {"case": "scrub", f"shown_median_{unit}": 60.0, f"shown_noise_{unit}": 0.5}
    assert compare([old], [new]).changes[0].verdict == "better"
    assert compare([new], [old]).is_worse


def test_cases_are_told_apart_by_their_words_alone() -> None:
    old = [{**record("step", 10.0), "transport": "comm", "lost": 3}]
    new = [{**record("step", 10.0), "transport": "comm", "lost": 4}]
    other = [{**record("step", 10.0), "transport": "webrtc"}]
    assert len(compare(old, new).changes) == 1
    assert compare(old, other).changes == ()


def test_what_cannot_be_compared_is_said() -> None:
    old = [record("gone", 1.0), record("quiet", 1.0, noise_ms=None), record("none", 1.0)]
    new = [record("new", 1.0), record("quiet", 1.0), {**record("none", 1.0), "median_ms": None}]
    assert compare(old, new).problems == (
        "only in the old file: gone",
        "only in the new file: new",
        "median_ms of quiet has no noise figure",
        "median_ms of none was not measured again",
    )


def test_two_records_of_one_name_are_said() -> None:
    twice = [record("step", 1.0), record("step", 2.0)]
    assert compare(twice, [record("step", 1.0)]).problems == ("several records are called step",)


def test_the_exit_status_is_1_for_a_regression_alone(tmp_path: Path, capsys) -> None:
    old = write(tmp_path / "old.json", record("step", 10.0))
    slow = write(tmp_path / "slow.json", record("step", 20.0), versions={"numpy": "2.5"})
    assert main(["compare", old, slow]) == 1
    told = capsys.readouterr().out
    assert "+100.0 %" in told
    assert "numpy: 2.4 → 2.5" in told
    assert main(["compare", slow, old]) == 0
    assert main(["compare", old, old]) == 0
    assert "0 worse, 0 better, 1 within the noise" in capsys.readouterr().out


def test_another_machine_is_not_compared(tmp_path: Path, capsys) -> None:
    old = write(tmp_path / "old.json", record("step", 10.0))
    new = write(tmp_path / "new.json", record("step", 20.0), cores=8)
    assert main(["compare", old, new]) == 2
    assert "cores 2 and 8" in capsys.readouterr().out


def test_nothing_in_common_is_no_success(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", record("step", 10.0))
    assert main(["compare", old, write(tmp_path / "new.json", record("scrub", 10.0))]) == 2


@pytest.mark.parametrize(
    "content", ["", "[]", '{"machine": {}}', '{"machine": {}, "results": [1]}']
)
def test_a_file_without_records_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(BenchError, match=r"odd\.json"):
        main(["compare", str(path), str(path)])
