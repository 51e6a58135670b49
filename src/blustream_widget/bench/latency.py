"""Input to displayed pixels, measured from outside: a real JupyterLab in a real Chromium."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.bench.numbers import Record, median, percentile, summarize
from blustream_widget.bench.quiet_chromium import QuietChromium
from blustream_widget.bench.rfb_peer import require_rfb
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

_HERE = Path(__file__).parent
_START_TIMEOUT_S = 60.0
_BUSY_S = 60
_FIRST_SLICE = 20
# The window has this much around the picture: JupyterLab's side bars, toolbars, rulers.
_AROUND_PX = (560, 560)
REFERENCE = "jpeg-comm-reference"
"""The lean yardstick's name among the transports."""
RFB = "jupyter-rfb"
"""The name of the one that people use."""
_YARDSTICKS = (REFERENCE, RFB)
# What each kernel does while the picture is measured; it ends by itself.
_KERNELS = {
    "idle": "",
    "busy-python": f"import time; _end = time.time() + {_BUSY_S}\nwhile time.time() < _end: pass",
    "busy-gil": f"import time; _end = time.time() + {_BUSY_S}\n"
    "while time.time() < _end: sum(range(10**8))",
}
_WIDEN = """([width, by]) => {
  const { style } = document.querySelector("[data-phase]");
  style.width = `${(parseFloat(style.width) || width) + by}px`;
}"""
_CELL = """
from blustream_widget import Viewer
viewer = Viewer({path!r}, axis=0, slice_idx={first}, colormap="grey", interpolate=False,
                kind="seismic", transports={transports!r}, height={height})
viewer
"""
_REFERENCE_CELL = """
from blustream_widget.bench.jpeg_reference import JpegReference
viewer = JpegReference({array!r}, slice_idx={first}, size_px={size!r})
viewer
"""
_RFB_CELL = """
from blustream_widget.bench.rfb_peer import rfb_peer
viewer = rfb_peer({array!r}, slice_idx={first}, size_px={size!r})
viewer
"""
_MARK_RFB = """(image) => {
  const host = image.parentElement;
  host.dataset.phase = "live";
  host.dataset.transport = "jupyter-rfb";
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench latency`."""
    parser.add_argument("--steps", type=int, default=60, help="single steps per case (default 60)")
    parser.add_argument("--scrub", type=int, default=180, help="events per scrub (default 180)")
    parser.add_argument("--pause", type=int, default=40, help="ms between steps (default 40)")
    parser.add_argument("--width", type=int, default=1280, help="picture in device pixels")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--transports", default=f"websocket,webrtc,comm,{REFERENCE},{RFB}")
    parser.add_argument("--kernels", default="idle,busy-python,busy-gil")


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure; a round is a share of the steps, and a scrub."""
    bench = LatencyBench(
        size_px=(arguments.width, arguments.height),
        n_steps=arguments.steps,
        n_scrub=arguments.scrub,
        pause_ms=arguments.pause,
        rounds=arguments.rounds,
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
    pause_ms : int
        Between the picture of a step and the next step. From 300 on each step begins at rest,
        where an exact still is shown.
    rounds : int
        Scrubs of each case, there and back again.
    """

    def __init__(
        self,
        *,
        size_px: tuple[int, int],
        n_steps: int,
        n_scrub: int,
        pause_ms: int = 40,
        rounds: int = 3,
    ) -> None:
        self._size_px = size_px
        self._n_steps = n_steps
        self._n_scrub = n_scrub
        self._pause_ms = pause_ms
        self._rounds = rounds

    def run(self, transports: Sequence[str], kernels: Sequence[str]) -> list[Record]:
        """Measure all combinations; each has a browser, a kernel and a session of its own.

        Where a yardstick is among the transports, `REFERENCE` or `RFB`, every record says how many
        times as long that took.

        Raises
        ------
        BlustreamError
            A yardstick is not installed.
        """
        if RFB in transports:
            require_rfb()
        results: list[Record] = []
        with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
            path = Path(folder) / "barcode.vds"
            write_barcode_volume(path, keep_array=not set(_YARDSTICKS).isdisjoint(transports))
            # Browser and server are on one machine: WebRTC goes over loopback.
            environment = {"BLUSTREAM_ICE_LOOPBACK": "1"}
            with JupyterLab(Path(folder), environment=environment) as lab:
                for kernel in kernels:
                    for transport in transports:
                        results += self._case(lab, path, transport, kernel)
        return _with_ratios(results)

    def _case(self, lab: JupyterLab, path: Path, transport: str, kernel: str) -> list[Record]:
        width_px, height_px = self._size_px
        window = (width_px + _AROUND_PX[0], height_px + _AROUND_PX[1])
        with QuietChromium("--allow-loopback-in-peer-connection", size_px=window) as chromium:
            try:
                self._prepare(lab, chromium, path, transport, kernel)
                common = {"transport": transport, "kernel": kernel}
                steps = self._steps(chromium)
                return [
                    {"case": "step", **common, **steps},
                    {"case": "scrub", **common, **self._scrub(chromium, lab)},
                ]
            finally:
                lab.delete_sessions()

    def _prepare(
        self, lab: JupyterLab, chromium: QuietChromium, path: Path, transport: str, kernel: str
    ) -> None:
        """Open the viewer in its size, focused, and leave it alone."""
        name = f"latency-{transport}.ipynb"
        lab.write_notebook(name, [self._cell(path, transport)])
        with chromium.driven() as browser:
            page = NotebookPage(browser, lab, name, context=browser.contexts[0])
            page.run_all()
            if transport == RFB:
                page.page.locator(".renderview-wrapper img").evaluate(_MARK_RFB)
            viewer = page.viewer()
            viewer.scroll_into_view_if_needed()
            wait_until(
                lambda: viewer.get_attribute("data-transport") == transport,
                timeout_s=_START_TIMEOUT_S,
                what=f"the viewer uses {transport}",
            )
            if transport not in _YARDSTICKS:
                self._fit_pane(page)
            viewer.click(position={"x": self._size_px[0] // 2, "y": self._size_px[1] // 2})
            page.page.evaluate((_HERE / "display_page.js").read_text())
            page.page.evaluate((_HERE / "latency_page.js").read_text())
            wait_until(
                lambda: page.page.evaluate("__latency.shown()") == _FIRST_SLICE,
                timeout_s=_START_TIMEOUT_S,
                what="the picture shows the number of its slice",
            )
            if _KERNELS[kernel]:
                _start_busy(page, _KERNELS[kernel])

    def _cell(self, path: Path, transport: str) -> str:
        if transport in _YARDSTICKS:
            cell = _REFERENCE_CELL if transport == REFERENCE else _RFB_CELL
            array = str(path.with_suffix(".npy"))
            return cell.format(array=array, first=_FIRST_SLICE, size=self._size_px)
        # WebRTC is signalled through the socket, so it is allowed too.
        allowed = "websocket,webrtc" if transport == "webrtc" else transport
        height = self._size_px[1] + 120
        return _CELL.format(path=str(path), first=_FIRST_SLICE, transports=allowed, height=height)

    def _fit_pane(self, page: NotebookPage) -> None:
        """Make the picture as large as asked for, whatever bars surround it."""

        def fits() -> bool:
            width, height = page.read_python("list(viewer.pane_size)")
            off = (self._size_px[0] - width, self._size_px[1] - height)
            if max(map(abs, off)) <= 2:
                return True
            page.page.evaluate(_WIDEN, [width, off[0]])
            page.run_python(f"viewer.height += {off[1]}")
            page.page.wait_for_timeout(400)
            return False

        wait_until(fits, timeout_s=30, what=f"the picture has {self._size_px} pixels")

    def _steps(self, chromium: QuietChromium) -> Record:
        def steps(n: int, sign: int) -> Record:
            options = f"{{ pause_ms: {self._pause_ms}, sign: {sign} }}"
            found: Record = chromium.evaluate(f"__latency.steps({n}, {options})", timeout_s=120)
            return found

        # The first frames of a stream are not its speed.
        steps(10, 1)
        n = max(1, self._n_steps // self._rounds)
        # There and back: a scrub that came to the volume's end would show fewer than it might.
        rounds = [steps(n, (-1) ** index) for index in range(self._rounds)]
        summary = summarize([found["latencies_ms"] for found in rounds], "ms")
        return {
            "median_ms": summary["median_ms"],
            "p95_ms": summary["p95_ms"],
            "noise_ms": summary["noise_ms"],
            "displayed_fps": None,
            "gap_p95_ms": None,
            "lag_ms": None,
            "server_cpu_ms_per_frame": None,
            "n": summary["n"],
            "lost": sum(found["lost"] for found in rounds),
        }

    def _scrub(self, chromium: QuietChromium, lab: JupyterLab) -> Record:
        server_s, browser_s = _server_cpu_s(lab), _family_cpu_s(chromium.pid)
        scrubs = [
            chromium.evaluate(f"__latency.scrub({self._n_scrub}, {sign})", timeout_s=90)
            for sign in ((-1) ** index for index in range(self._rounds))
        ]
        server_ms = 1000 * _spent_s(server_s, _server_cpu_s(lab))
        browser_ms = 1000 * _spent_s(browser_s, _family_cpu_s(chromium.pid))
        lags = [lag for scrub in scrubs for lag in scrub["lags_ms"]]
        gaps = [gap for scrub in scrubs for gap in scrub["gaps_ms"]]
        rates_hz = [1000 * scrub["displayed"] / scrub["duration_ms"] for scrub in scrubs]
        n_displayed = max(sum(scrub["total_displayed"] for scrub in scrubs), 1)
        settled_ms = [s["settled_ms"] for s in scrubs if s["settled_ms"] is not None]
        return {
            "median_ms": None,
            "p95_ms": None,
            "noise_ms": None,
            "displayed_fps": median(rates_hz),
            "gap_p95_ms": percentile(gaps, 95),
            "lag_ms": median(lags),
            "lag_p95_ms": percentile(lags, 95),
            "server_cpu_ms_per_frame": server_ms / n_displayed,
            "n": self._n_scrub * len(scrubs),
            "lost": len(scrubs) - len(settled_ms),
            "browser_cpu_ms_per_frame": browser_ms / n_displayed,
            "displayed_fps_min": min(rates_hz),
            "longest_gap_ms": max(scrub["longest_gap_ms"] for scrub in scrubs),
            "settled_ms": median(settled_ms),
        }


def _with_ratios(results: list[Record]) -> list[Record]:
    """Say of each record how many times as long each yardstick took, with the same kernel."""
    for key, yardstick in (("reference_ratio", REFERENCE), ("rfb_ratio", RFB)):
        for result in results:
            figure = "median_ms" if result["case"] == "step" else "lag_ms"
            reference = next(
                (
                    other[figure]
                    for other in results
                    if other["transport"] == yardstick
                    and (other["case"], other["kernel"]) == (result["case"], result["kernel"])
                ),
                None,
            )
            own = result[figure]
            result[key] = reference / own if reference and own else None
    return results


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


def _server_cpu_s(lab: JupyterLab) -> dict[int, float]:
    """Processor time of the server and its workers so far (not Jupyter, not the kernel)."""
    runtime = lab.environment["JUPYTER_RUNTIME_DIR"]
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "blustream_widget" not in " ".join(process.info["cmdline"] or []):
            continue
        with contextlib.suppress(psutil.Error):
            if process.environ().get("JUPYTER_RUNTIME_DIR") == runtime:
                found.append(process)
    return _cpu_s(found)


def _family_cpu_s(pid: int) -> dict[int, float]:
    """Processor time so far of a process and its living descendants."""
    parent = psutil.Process(pid)
    return _cpu_s([parent, *parent.children(recursive=True)])


def _cpu_s(processes: list[psutil.Process]) -> dict[int, float]:
    """Processor time so far of each process that still lives."""
    spent: dict[int, float] = {}
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            spent[process.pid] = times.user + times.system
    return spent


def _spent_s(before: dict[int, float], after: dict[int, float]) -> float:
    """Processor time between the two, of what lived all the while: others belong to other cases."""
    return sum(after[pid] - before[pid] for pid in before.keys() & after.keys())
