"""From running the cell to the first picture on the screen, cold and warm, and the import alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.bench.numbers import median
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAGE = Path(__file__).with_name("startup_page.js")
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


class StartupBench:
    """Rounds of: a fresh kernel without a server (cold), then another viewer (spare worker warm).

    Parameters
    ----------
    rounds : int
    """

    def __init__(self, *, rounds: int) -> None:
        self._rounds = rounds

    def run(self) -> list[dict[str, Any]]:
        """Measure; JupyterLab and the page are open already, as a user's are."""
        cold: list[float] = []
        warm: list[float] = []
        with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
            path = Path(folder) / "barcode.vds"
            write_barcode_volume(path)
            with (
                JupyterLab(Path(folder), environment=_ENVIRONMENT) as lab,
                chromium("--allow-loopback-in-peer-connection") as browser,
            ):
                for index in range(self._rounds):
                    times = self._round(lab, browser, path, index)
                    cold.append(times[0])
                    warm.append(times[1])
        imported = [_import_ms() for _ in range(self._rounds)]
        return [
            _record("import", imported),
            _record("first picture, cold", cold),
            _record("first picture, spare worker warm", warm),
        ]

    def _round(
        self, lab: JupyterLab, browser: Browser, path: Path, index: int
    ) -> tuple[float, float]:
        name = f"startup-{index}.ipynb"
        cell = _CELL.format(path=str(path), slice=_SLICE)
        lab.write_notebook(name, [cell, cell])
        page = NotebookPage(browser, lab, name, height_px=1600)
        try:
            cold_ms = self._first_picture_ms(page, 0)
            wait_until(
                lambda: page.read_python("viewer.transport") != "",
                timeout_s=10,
                what="the viewer reports its transport",
            )
            page.page.wait_for_timeout(2000)  # the spare worker starts and warms up
            warm_ms = self._first_picture_ms(page, 1)
        finally:
            page.close()
            lab.delete_sessions()
        return cold_ms, warm_ms

    def _first_picture_ms(self, page: NotebookPage, index: int) -> float:
        found = page.page.evaluate(
            _PAGE.read_text(), {"index": index, "number": _SLICE, "limit_ms": _LIMIT_MS}
        )
        if found is None:
            raise TimeoutError(f"No picture within {_LIMIT_MS} ms: {page.problems}")
        return float(found)


def _import_ms() -> float:
    started_s = time.perf_counter()
    subprocess.run([sys.executable, "-c", "from blustream_widget import Viewer"], check=True)
    return 1000 * (time.perf_counter() - started_s)


def _record(case: str, values_ms: Sequence[float]) -> dict[str, Any]:
    return {
        "case": case,
        "median_ms": median(values_ms),
        "min_ms": min(values_ms),
        "max_ms": max(values_ms),
        "n": len(values_ms),
    }
