"""Input to displayed pixels in emulated networks between JupyterLab and Chromium."""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.bench.bare_tcp import ANSWER_BYTES, BareTcp
from blustream_widget.bench.held_up import browsers, kernels, stopped
from blustream_widget.bench.milestones import milestones
from blustream_widget.bench.numbers import Record, median, percentile
from blustream_widget.bench.quiet_chromium import QuietChromium
from blustream_widget.errors import ConfigError
from blustream_widget.testing.emulated_network import (
    NETWORKS,
    SERVER_ADDRESS,
    EmulatedNetwork,
    emulated_network,
)
from blustream_widget.testing.emulator import Conditions
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.namespaces import namespace_obstacle
from blustream_widget.testing.notebook_page import VIEWER, NotebookPage
from blustream_widget.testing.waiting import wait_until

_DISPLAY_PAGE = Path(__file__).with_name("display_page.js")
_LATENCY_PAGE = Path(__file__).with_name("latency_page.js")
_NETWORK_PAGE = Path(__file__).with_name("network_page.js")
_START_TIMEOUT_S = 60.0
_EVALUATE_TIMEOUT_S = 120.0
_FIRST = 20
_N_KILLS = 3
# A server that is older than a few seconds has a process waiting to take its place.
_OLD_ENOUGH_S = 8.0
# Longer than the server waits for a sign of life.
_CLOSED_S = 40.0
_SIZE_PX = (1280, 720)
_GOOD = Conditions(rtt_ms=20)
# A picture that shows what was asked for this long ago at most is live.
_LIVE_MS = 500.0
# The network changes while nothing moves, and what was on the way arrives.
_SETTLE_S = 1.0
# What a browser says to a page that is put aside and taken up again.
_HIDE_AND_SHOW = """(() => {
  window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
})()"""
_RUN_PYTHON = """jupyterapp.shell.currentWidget.sessionContext.session.kernel
  .requestExecute({{ code: {code}, store_history: false }}).done.then(() => null)"""
# Steps that teach what the network is like, before those that count.
_N_LEARN = 8
# Long enough for a lossless picture to be on its way when the next step comes.
_REST_MS = 300
_CELL = """
from blustream_widget import Viewer
viewer = Viewer({path!r}, axis=0, slice_idx={first}, colormap="grey", interpolate=False,
                kind="seismic", transports={transports!r}, height={height})
viewer
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench network`."""
    parser.add_argument("--steps", type=int, default=24, help="single steps per case (default 24)")
    parser.add_argument("--scrub", type=int, default=180, help="events per scrub (default 180)")
    parser.add_argument("--transports", default="websocket,webrtc")
    parser.add_argument("--networks", default=",".join(NETWORKS).replace(", ", "; "))
    parser.add_argument(
        "--outages",
        default="3,15",
        help="outages in s; then a closed laptop, another network, killed servers (default 3,15)",
    )
    parser.add_argument("--no-outage", action="store_true", help="leave all that out")
    parser.set_defaults(rounds=1)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure.

    Raises
    ------
    ConfigError
        Where networks cannot be emulated.
    """
    if obstacle := namespace_obstacle():
        raise ConfigError(f"Networks cannot be emulated here: {obstacle}.", hint="Run it as root.")
    networks = [name.strip().replace("; ", ", ") for name in arguments.networks.split(",")]
    bench = NetworkBench(n_steps=arguments.steps, n_scrub=arguments.scrub)
    return bench.run(
        arguments.transports.split(","),
        {name: NETWORKS[name] for name in networks if name},
        outages_s=None if arguments.no_outage else _numbers(arguments.outages),
    )


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part]


class NetworkBench:
    """Steps and a scrub in each network, and what is displayed after outages and a server's end.

    Parameters
    ----------
    n_steps, n_scrub : int
        Events of each case.
    """

    def __init__(self, *, n_steps: int, n_scrub: int) -> None:
        self._n_steps = n_steps
        self._n_scrub = n_scrub

    def run(
        self,
        transports: Sequence[str],
        networks: dict[str, Conditions],
        *,
        outages_s: Sequence[float] | None,
    ) -> list[Record]:
        """Measure all combinations; each transport has a browser and a session of its own."""
        results: list[Record] = []
        with (
            tempfile.TemporaryDirectory(prefix="bs-bench-") as folder,
            emulated_network() as network,
            network.server.entered(),
            JupyterLab(Path(folder), address=SERVER_ADDRESS) as lab,
        ):
            path = Path(folder) / "barcode.vds"
            write_barcode_volume(path)
            for transport in transports:
                usable = {n: c for n, c in networks.items() if c.has_udp}
                with self._viewer(network, lab, path, transport) as page:
                    for name, conditions in usable.items():
                        results += self._case(network, page, transport, name, conditions)
                    for outage_s in outages_s or ():
                        results.append(self._outage(network, page, transport, outage_s))
                    if outages_s is not None:
                        results.append(self._closed(network, page, transport, _CLOSED_S))
                        results += [
                            self._killed(network, lab, page, transport, is_held_up=is_held_up)
                            for is_held_up in (False, True)
                            for _ in range(_N_KILLS)
                        ]
                        # Last: Jupyter's own connection, by which the kernel is asked, is slower.
                        results.append(self._moved(network, page, transport))
            for name, conditions in networks.items():
                if not conditions.has_udp:
                    # WebRTC is allowed and tried: the socket must serve.
                    results += self._blocked(network, lab, path, name, conditions)
        return results

    def _blocked(
        self,
        network: EmulatedNetwork,
        lab: JupyterLab,
        path: Path,
        name: str,
        conditions: Conditions,
    ) -> list[Record]:
        with self._viewer(
            network, lab, path, "websocket", allowed="websocket,webrtc", has_udp=False
        ) as page:
            return self._case(network, page, "websocket", name, conditions)

    @contextmanager
    def _viewer(
        self,
        network: EmulatedNetwork,
        lab: JupyterLab,
        path: Path,
        transport: str,
        *,
        allowed: str = "",
        has_udp: bool = True,
    ) -> Iterator[_LonePage]:
        """Open a viewer over a network without faults: loading JupyterLab is not measured."""
        network.set(Conditions(rtt_ms=1, has_udp=has_udp))
        width_px, height_px = _SIZE_PX
        transports = allowed or ("websocket,webrtc" if transport == "webrtc" else transport)
        name = f"network-{transport}-{int(has_udp)}.ipynb"
        cell = _CELL.format(
            path=str(path), first=_FIRST, transports=transports, height=height_px + 64
        )
        lab.write_notebook(name, [cell])
        # A page that is not HTTPS decodes only where the browser is told to trust it.
        trust = f"--unsafely-treat-insecure-origin-as-secure={lab.url}"
        window = (width_px + 200, height_px + 400)
        with (
            network.browser.entered(),
            QuietChromium(trust, size_px=window, namespace=network.browser) as chromium,
        ):
            try:
                with chromium.driven() as browser:
                    driven = NotebookPage(browser, lab, name, context=browser.contexts[0])
                    driven.run_all()
                    viewer = driven.viewer()
                    viewer.scroll_into_view_if_needed()
                    viewer.click(position={"x": width_px // 2, "y": height_px // 2})
                    driven.page.evaluate(_DISPLAY_PAGE.read_text())
                page = _LonePage(chromium)
                page.wait_for(transport=transport)
                page.evaluate(_LATENCY_PAGE.read_text())
                page.wait_shown(_FIRST)
                yield page
            finally:
                network.set(Conditions(rtt_ms=1))
                lab.delete_sessions()

    def _case(
        self,
        network: EmulatedNetwork,
        page: _LonePage,
        transport: str,
        name: str,
        conditions: Conditions,
    ) -> list[Record]:
        self._show_first(network, page)
        bare = BareTcp(network)
        network.set(conditions)
        # Its connections are those of this network, as if it had been opened on it.
        page.evaluate(_HIDE_AND_SHOW)
        page.wait_for(transport=transport, phase="live")
        threading.Event().wait(_SETTLE_S)
        page.evaluate(f"__latency.steps({_N_LEARN})")
        common = {"network": name, "transport": transport}
        steps = page.evaluate(f"__latency.steps({self._n_steps})")
        rest_ms = _REST_MS + 2 * conditions.rtt_ms
        rested = page.evaluate(f"__latency.steps({self._n_steps // 2}, {{ pause_ms: {rest_ms} }})")
        # The first scrub teaches what the link carries.
        page.evaluate(f"__latency.scrub({self._n_scrub // 2}, 1)")
        scrub = page.evaluate(f"__latency.scrub({self._n_scrub // 2}, -1)")
        held_back = page.says("heldBack")
        used = page.says("transport")
        bare_ms = bare.steps(self._n_steps)
        late = network.set(Conditions(rtt_ms=1, has_udp=conditions.has_udp))
        bare.close()
        return [
            {
                "case": f"bare TCP, {ANSWER_BYTES} bytes",
                **common,
                **_latency(bare_ms, conditions.rtt_ms),
                "emulator_late_mean_ms": late.mean_ms,
                "emulator_late_worst_ms": late.worst_ms,
            },
            {
                "case": "step",
                **common,
                **_latency(steps["latencies_ms"], conditions.rtt_ms),
                "lost": steps["lost"],
                "used": used,
            },
            {
                "case": "step after a rest",
                **common,
                **_latency(rested["latencies_ms"], conditions.rtt_ms),
                "lost": rested["lost"],
                "used": used,
            },
            {
                "case": "scrub",
                **common,
                **_latency(scrub["lags_ms"], conditions.rtt_ms),
                "displayed_fps": 1000 * scrub["displayed"] / scrub["duration_ms"],
                "settled_ms": scrub["settled_ms"],
                "used": used,
                "held_back": held_back,
            },
        ]

    def _outage(
        self, network: EmulatedNetwork, page: _LonePage, transport: str, outage_s: float
    ) -> Record:
        def break_off() -> float:
            network.set(replace(_GOOD, is_up=False))
            threading.Event().wait(outage_s)
            network.set(_GOOD)
            return time.time()

        return self._comes_back(network, page, transport, f"outage of {outage_s:g} s", break_off)

    def _closed(
        self, network: EmulatedNetwork, page: _LonePage, transport: str, closed_s: float
    ) -> Record:
        """Close the laptop: nothing of the browser runs, and there is no network."""

        def close() -> float:
            with stopped(browsers(page.pid)):
                network.set(replace(_GOOD, is_up=False))
                threading.Event().wait(closed_s)
                network.set(_GOOD)
            return time.time()

        return self._comes_back(network, page, transport, f"closed for {closed_s:g} s", close)

    def _moved(self, network: EmulatedNetwork, page: _LonePage, transport: str) -> Record:
        def move() -> float:
            network.move_browser()
            return time.time()

        return self._comes_back(network, page, transport, "another network", move)

    def _killed(
        self,
        network: EmulatedNetwork,
        lab: JupyterLab,
        page: _LonePage,
        transport: str,
        *,
        is_held_up: bool,
    ) -> Record:
        """Kill the server, perhaps while nothing of the kernel runs, as in a long C call."""
        folder = Path(lab.environment["JUPYTER_RUNTIME_DIR"]) / "blustream"
        killed_s, held_up = 0.0, ExitStack()

        def kill() -> float:
            nonlocal killed_s
            if is_held_up:
                held_up.enter_context(stopped(kernels()))
            (info,) = folder.glob("server-*.json")
            os.kill(json.loads(info.read_text())["pid"], signal.SIGKILL)
            killed_s = time.time()
            return killed_s

        threading.Event().wait(_OLD_ENOUGH_S)
        case = "server killed, kernel held up" if is_held_up else "server killed"
        with held_up:
            # The kernel hears then what it missed, before the next case asks something of it.
            held_up.callback(threading.Event().wait, _SETTLE_S)
            record = self._comes_back(network, page, transport, case, kill)
        (log,) = folder.glob("server-*.log")
        return {**record, **milestones(log, killed_s)}

    def _comes_back(
        self,
        network: EmulatedNetwork,
        page: _LonePage,
        transport: str,
        case: str,
        interrupt: Callable[[], float],
    ) -> Record:
        """Interrupt a page that goes on by itself; `interrupt` returns when that was over."""
        self._show_first(network, page)
        network.set(_GOOD)
        page.evaluate(_NETWORK_PAGE.read_text())
        pause = threading.Event()
        pause.wait(2.0)
        began_ms = 1000 * time.time()
        back_ms = 1000 * interrupt()
        # What was on its way when the server ended is no sign of the next one.
        asked_ms = max(began_ms, back_ms - _LIVE_MS)
        pause.wait(6.0)
        log = page.evaluate("__network.stop()")
        return {
            "case": case,
            "network": "20 ms",
            "transport": transport,
            "live_after_ms": _live_after_ms(_since(asked_ms, log["asked"]), log["shown"], back_ms),
            "used": page.says("transport"),
        }

    def _show_first(self, network: EmulatedNetwork, page: _LonePage) -> None:
        """Begin in the middle of nothing: a network without faults, the first slice, at rest."""
        network.set(Conditions(rtt_ms=1))
        code = json.dumps(f"viewer.slice_idx = {_FIRST}")
        page.evaluate(_RUN_PYTHON.format(code=code))
        page.wait_shown(_FIRST)


class _LonePage:
    """The viewer's page, which no driver watches."""

    def __init__(self, chromium: QuietChromium) -> None:
        self._chromium = chromium

    @property
    def pid(self) -> int:
        """Of the browser's first process."""
        return self._chromium.pid

    def evaluate(self, expression: str) -> Any:
        """Run JavaScript and wait for its value."""
        return self._chromium.evaluate(expression, timeout_s=_EVALUATE_TIMEOUT_S)

    def says(self, name: str) -> str:
        """Give one of the viewer's data attributes; "" where it has none."""
        return self.evaluate(f"document.querySelector('{VIEWER}').dataset.{name}") or ""

    def wait_for(self, **attributes: str) -> None:
        """Wait until the viewer's data attributes are these."""
        wait_until(
            lambda: all(self.says(name) == value for name, value in attributes.items()),
            timeout_s=_START_TIMEOUT_S,
            what=f"the viewer says {attributes}",
        )

    def wait_shown(self, number: int) -> None:
        """Wait until the picture shows the number of a slice."""
        wait_until(
            lambda: self.evaluate("__latency.shown()") == number,
            timeout_s=_START_TIMEOUT_S,
            what=f"the picture shows slice {number}",
        )


def _latency(values_ms: Sequence[float], rtt_ms: float) -> Record:
    middle = median(values_ms)
    return {
        "median_ms": middle,
        "p95_ms": percentile(values_ms, 95),
        "above_rtt_median_ms": None if middle is None else middle - rtt_ms,
        "n": len(values_ms),
    }


def _since(began_ms: float, asked: list[Any]) -> list[Any]:
    return [(number, at_ms) for number, at_ms in asked if at_ms > began_ms]


def _live_after_ms(asked: list[Any], shown: list[Any], back_ms: float) -> float | None:
    """Time from the network's return to the first picture of something asked for just before."""
    for number, at_ms in shown:
        if at_ms < back_ms:
            continue
        times = [t for n, t in asked if n == number and t <= at_ms]
        if times and at_ms - max(times) <= _LIVE_MS:
            return float(at_ms - back_ms)
    return None
