"""First picture cold and warm, and how long a killed worker is missed."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAGE = Path(__file__).with_name("startup_page.js")
_DISPLAY_PAGE = Path(__file__).with_name("display_page.js")
_SCRUB_PAGE = Path(__file__).with_name("latency_page.js")
_SCRUB_EVENTS = 200
_KILL_AFTER_MS = 1000
_SLICE = 20
_LIMIT_MS = 30_000
_CELL = """from blustream_widget import Viewer
viewer = Viewer({path!r}, slice_idx={slice}, colormap="grey", interpolate=False, kind="seismic")
viewer"""
# The server ends at once after a round, so that the next one is cold again.
_ENVIRONMENT = {
    "BLUSTREAM_ICE_LOOPBACK": "1",
    "BLUSTREAM_SERVER_GRACE_S": "0.5",
    "BLUSTREAM_SESSION_GRACE_S": "0.5",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench startup`."""
    parser.set_defaults(rounds=5)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    return StartupBench(rounds=arguments.rounds).run()


class StartupBench:
    """Rounds of: a fresh kernel without a server (cold), then another viewer (spare worker warm).

    Parameters
    ----------
    rounds : int
    """

    def __init__(self, *, rounds: int) -> None:
        self._rounds = rounds

    def run(self) -> list[Record]:
        """Measure; JupyterLab and the page are open already, as a user's are."""
        cold: list[float] = []
        warm: list[float] = []
        killed: list[float] = []
        with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
            path = Path(folder) / "barcode.vds"
            write_barcode_volume(path)
            with (
                JupyterLab(Path(folder), environment=_ENVIRONMENT) as lab,
                chromium("--allow-loopback-in-peer-connection") as browser,
            ):
                for index in range(self._rounds):
                    times = self._round(lab, browser, path, index)
                    for sample, value in zip((cold, warm, killed), times, strict=True):
                        sample.append(value)
        imported = [_import_ms() for _ in range(self._rounds)]
        return [
            _record("import", imported),
            _record("first picture, cold", cold),
            _record("first picture, spare worker warm", warm),
            _record("longest gap of a scrub with SIGKILL of the worker", killed),
        ]

    def _round(
        self, lab: JupyterLab, browser: Browser, path: Path, index: int
    ) -> tuple[float, float, float]:
        name = f"startup-{index}.ipynb"
        cell = _CELL.format(path=str(path), slice=_SLICE)
        lab.write_notebook(name, [cell, cell])
        page = NotebookPage(browser, lab, name, height_px=1600)
        page.page.evaluate(_DISPLAY_PAGE.read_text())
        try:
            cold_ms = self._first_picture_ms(page, 0)
            wait_until(
                lambda: page.read_python("viewer.transport") != "",
                timeout_s=10,
                what="the viewer reports its transport",
            )
            page.page.wait_for_timeout(2000)  # the spare worker starts and warms up
            warm_ms = self._first_picture_ms(page, 1)
            page.page.wait_for_timeout(2000)
            gap_ms = _gap_ms(page, path)
        finally:
            page.close()
            lab.delete_sessions()
        return cold_ms, warm_ms, gap_ms

    def _first_picture_ms(self, page: NotebookPage, index: int) -> float:
        found = page.page.evaluate(
            _PAGE.read_text(), {"index": index, "number": _SLICE, "limit_ms": _LIMIT_MS}
        )
        if found is None:
            raise TimeoutError(f"No picture within {_LIMIT_MS} ms: {page.problems}")
        return float(found)


def _gap_ms(page: NotebookPage, path: Path) -> float:
    """Scrub, kill the worker that reads for it, and take the longest standstill."""
    viewer = page.viewer()
    viewer.scroll_into_view_if_needed()
    viewer.click(position={"x": 300, "y": 200})
    page.page.evaluate(_SCRUB_PAGE.read_text())
    page.page.evaluate("(n) => { globalThis.__scrub = __latency.scrub(n, 1); }", _SCRUB_EVENTS)
    page.page.wait_for_timeout(_KILL_AFTER_MS)
    for process in _readers(path):
        process.kill()
    found = page.page.evaluate("() => globalThis.__scrub")
    if found["settled_ms"] is None:
        raise TimeoutError("The picture did not come back after the worker was killed.")
    return float(max(found["longest_gap_ms"], found["settled_ms"]))


def _readers(path: Path) -> list[psutil.Process]:
    """Find the worker processes that have the volume open (a spare one has none)."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(file.path == str(path) for file in process.open_files()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def _import_ms() -> float:
    started_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from blustream_widget import Viewer"], check=True)
    return 1000 * (time.perf_counter() - started_s)


def _record(case: str, values_ms: Sequence[float]) -> Record:
    return {
        "case": case,
        **summarize([[value] for value in values_ms], "ms"),
        "min_ms": min(values_ms),
        "max_ms": max(values_ms),
    }
