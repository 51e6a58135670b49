"""Input to displayed pixels, measured from outside: a real JupyterLab in a real Chromium."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.bench.numbers import Record, median, percentile
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAGE = Path(__file__).with_name("latency_page.js")
_START_TIMEOUT_S = 60.0
_BUSY_S = 90
# There, back and there again: one scrub of three seconds is too short to be trusted.
_SCRUB_SIGNS = (1, -1, 1)
# What each kernel does while the picture is measured; it ends by itself.
_KERNELS = {
    "idle": "",
    "busy-python": f"import time; _end = time.time() + {_BUSY_S}\nwhile time.time() < _end: pass",
    "busy-gil": f"import time; _end = time.time() + {_BUSY_S}\n"
    "while time.time() < _end: sum(range(10**8))",
}
_CELL = """
from blustream_widget import Viewer
viewer = Viewer({path!r}, axis=0, slice_idx={middle}, colormap="grey", interpolate=False,
                kind="seismic", transports={transports!r}, height={height})
viewer
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench latency`."""
    parser.add_argument("--steps", type=int, default=60, help="single steps per case (default 60)")
    parser.add_argument("--scrub", type=int, default=180, help="events per scrub (default 180)")
    parser.add_argument("--width", type=int, default=1280, help="picture in device pixels")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--transports", default="websocket,webrtc,comm")
    parser.add_argument("--kernels", default="idle,busy-python,busy-gil")


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    bench = LatencyBench(
        size_px=(arguments.width, arguments.height),
        n_steps=arguments.steps,
        n_scrub=arguments.scrub,
    )
    return bench.run(arguments.transports.split(","), arguments.kernels.split(","))


class LatencyBench:
    """Single steps and a 60-per-second scrub, for each transport and each kind of kernel.

    Parameters
    ----------
    size_px : tuple of int
        Width and height of the picture in device pixels.
    n_steps, n_scrub : int
        Events of each case; a scrub needs a volume of more slices than that.
    """

    def __init__(self, *, size_px: tuple[int, int], n_steps: int, n_scrub: int) -> None:
        self._size_px = size_px
        self._n_steps = n_steps
        self._n_scrub = n_scrub

    def run(self, transports: Sequence[str], kernels: Sequence[str]) -> list[dict[str, Any]]:
        """Measure all combinations; each has a kernel, a page and a session of its own."""
        results: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
            path = Path(folder) / "barcode.vds"
            write_barcode_volume(path)
            # Browser and server are on one machine: WebRTC goes over loopback.
            environment = {"BLUSTREAM_ICE_LOOPBACK": "1"}
            with (
                JupyterLab(Path(folder), environment=environment) as lab,
                chromium("--allow-loopback-in-peer-connection") as browser,
            ):
                for transport in transports:
                    for kernel in kernels:
                        results += self._case(lab, browser, path, transport, kernel)
        return results

    def _case(
        self, lab: JupyterLab, browser: Browser, path: Path, transport: str, kernel: str
    ) -> list[dict[str, Any]]:
        with self._viewer(lab, browser, path, transport) as page:
            if _KERNELS[kernel]:
                _start_busy(page, _KERNELS[kernel])
            common = {"transport": transport, "kernel": kernel}
            return [
                {"case": "step", **common, **self._steps(page)},
                {"case": "scrub", **common, **self._scrub(page, lab)},
            ]

    @contextmanager
    def _viewer(
        self, lab: JupyterLab, browser: Browser, path: Path, transport: str
    ) -> Iterator[NotebookPage]:
        width_px, height_px = self._size_px
        # WebRTC is signalled through the socket, so it is allowed too.
        allowed = "websocket,webrtc" if transport == "webrtc" else transport
        name = f"latency-{transport}.ipynb"
        cell = _CELL.format(path=str(path), middle=20, transports=allowed, height=height_px + 120)
        lab.write_notebook(name, [cell])
        page = NotebookPage(browser, lab, name, width_px=width_px + 260, height_px=height_px + 500)
        try:
            page.run_all()
            viewer = page.viewer()
            viewer.scroll_into_view_if_needed()
            wait_until(
                lambda: viewer.get_attribute("data-transport") == transport,
                timeout_s=_START_TIMEOUT_S,
                what=f"the viewer uses {transport}",
            )
            self._fit_window(page)
            viewer.click(position={"x": width_px // 2, "y": height_px // 2})
            self.size = page.page.evaluate(_PAGE.read_text())
            wait_until(
                lambda: page.page.evaluate("__latency.shown()") == 20,
                timeout_s=_START_TIMEOUT_S,
                what="the picture shows the number of its slice",
            )
            yield page
        finally:
            page.close()
            lab.delete_sessions()

    def _fit_window(self, page: NotebookPage) -> None:
        """Make the picture as large as asked for, whatever bars surround it."""

        def fits() -> bool:
            width, height = page.read_python("list(viewer.pane_size)")
            off = (self._size_px[0] - width, self._size_px[1] - height)
            if max(map(abs, off)) <= 2:
                return True
            size = page.page.viewport_size
            assert size is not None
            page.page.set_viewport_size(
                {"width": size["width"] + off[0], "height": size["height"] + off[1]}
            )
            page.run_python(f"viewer.height += {off[1]}")
            page.page.wait_for_timeout(400)
            return False

        wait_until(fits, timeout_s=30, what=f"the picture has {self._size_px} pixels")

    def _steps(self, page: NotebookPage) -> dict[str, Any]:
        page.page.evaluate("__latency.steps(10)")  # the first frames of a stream are not its speed
        found = page.page.evaluate("(n) => __latency.steps(n)", self._n_steps)
        latencies = found["latencies_ms"]
        return {
            "median_ms": median(latencies),
            "p95_ms": percentile(latencies, 95),
            "displayed_fps": None,
            "lag_ms": None,
            "server_cpu_ms_per_frame": None,
            "n": len(latencies),
            "lost": found["lost"],
        }

    def _scrub(self, page: NotebookPage, lab: JupyterLab) -> dict[str, Any]:
        before_s = _server_cpu_s(lab)
        scrubs = [
            page.page.evaluate("([n, sign]) => __latency.scrub(n, sign)", [self._n_scrub, sign])
            for sign in _SCRUB_SIGNS
        ]
        cpu_ms = 1000 * (_server_cpu_s(lab) - before_s)
        lags = [lag for scrub in scrubs for lag in scrub["lags_ms"]]
        rates_hz = [1000 * scrub["displayed"] / scrub["duration_ms"] for scrub in scrubs]
        n_displayed = sum(scrub["total_displayed"] for scrub in scrubs)
        settled_ms = [s["settled_ms"] for s in scrubs if s["settled_ms"] is not None]
        return {
            "median_ms": None,
            "p95_ms": percentile(lags, 95),
            "displayed_fps": median(rates_hz),
            "lag_ms": median(lags),
            "server_cpu_ms_per_frame": cpu_ms / max(n_displayed, 1),
            "n": self._n_scrub * len(scrubs),
            "lost": len(scrubs) - len(settled_ms),
            "displayed_fps_min": min(rates_hz),
            "longest_gap_ms": max(scrub["longest_gap_ms"] for scrub in scrubs),
            "settled_ms": median(settled_ms),
        }


def _start_busy(page: NotebookPage, code: str) -> None:
    """Start code in the kernel's main shell and do not wait for it."""
    page.page.evaluate(
        """(code) => { jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code, store_history: false }); }""",
        code,
    )
    page.page.wait_for_function(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )


def _server_cpu_s(lab: JupyterLab) -> float:
    """Processor time of the server and its workers so far (not Jupyter, not the kernel)."""
    total = 0.0
    runtime = lab.environment["JUPYTER_RUNTIME_DIR"]
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if "blustream_widget" not in command:
            continue
        try:
            if process.environ().get("JUPYTER_RUNTIME_DIR") != runtime:
                continue
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
