"""One session watched by real guests' pages: what they display, how old it is, and what it costs.

Server, worker, pages and browser share the machine, and each page decodes and composes for itself:
the picture is small, so that eight of them fit two cores without a graphics card.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from blustream_widget.bench.fanout import receiving
from blustream_widget.bench.live import Live, live_server
from blustream_widget.bench.numbers import Record, median, percentile
from blustream_widget.bench.quiet_chromium import QuietChromium
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.types import VolumeRef
from blustream_widget.runtime import start_thread
from blustream_widget.testing.clients import ViewerClient, connect_kernel, connect_viewer
from blustream_widget.testing.tcp_bridge import bridged

SIZE_PX = (640, 360)
_DISPLAY_PAGE = Path(__file__).with_name("display_page.js")
_WATCH_PAGE = Path(__file__).with_name("fanout_pages.js")
N_SLICES = 256
_OLDEST_MS = 2000.0
"""A slice that was asked for longer ago was asked for again since: its number says too little."""
_TIMEOUT_S = 60.0
_CALM_FPS = 2.0
_SHOWN = "() => __displayOf(document.querySelector('#view')).shown()"


def measure_pages(n_pages: int, *, fps: float, seconds: float, company: int = 0) -> Record:
    """Open pages that follow a session whose slice changes all the time, and watch what they show.

    Parameters
    ----------
    n_pages : int
        Guests, each in a window of its own of one Chromium.
    fps : float
        Changes of the slice a second.
    seconds : float
        How long they are watched.
    company : int
        Light viewers in the same session, by WebSocket, as `bench.fanout` has them.
    """
    with (
        live_server((N_SLICES, *SIZE_PX), transports="websocket") as live,
        bridged(live.server.address.socket_path) as port,
    ):
        code = secrets.token_urlsafe(24)
        all_there = threading.Event()
        with _driver(live, code, (n_pages, company), fps, all_there) as asked:
            window = (SIZE_PX[0] + 120, SIZE_PX[1] + 200)
            with QuietChromium(size_px=window) as chromium:
                pages = _join(chromium, f"http://127.0.0.1:{port}/guest#{code}", n_pages)
                all_there.set()
                found = _watch(live, chromium, pages, seconds)
    return {**_record(n_pages, fps, seconds, asked, found), "company": company}


def _join(chromium: QuietChromium, link: str, n_pages: int) -> list[str]:
    """Let guests in, until each page shows something; gives their addresses for the debugger."""
    with chromium.driven() as browser:
        session = browser.new_browser_cdp_session()
        for number in range(n_pages):
            # Of several tabs of one window all but one are hidden, and hidden pages show nothing.
            with browser.contexts[0].expect_page() as opened:
                session.send("Target.createTarget", {"url": link, "newWindow": True})
            page = opened.value
            page.get_by_label("Your name").fill(f"Guest {number + 1}")
            page.get_by_role("button", name="Join").click()
            page.evaluate(_DISPLAY_PAGE.read_text())
            while page.evaluate(_SHOWN) == -1:
                page.wait_for_timeout(200)
    return chromium.pages()


def _watch(
    live: Live, chromium: QuietChromium, pages: Sequence[str], seconds: float
) -> dict[str, Any]:
    script = f"({_WATCH_PAGE.read_text().strip()})({seconds})"
    browser = psutil.Process(chromium.pid)
    began = _cpu_s(live.server.process), _cpu_s(*live.server.workers()), _tree_cpu_s(browser)
    began_s = time.monotonic()
    with ThreadPoolExecutor(len(pages)) as threads:
        logs = list(
            threads.map(
                lambda page: chromium.evaluate(script, timeout_s=seconds + _TIMEOUT_S, page=page),
                pages,
            )
        )
    spent_s = time.monotonic() - began_s
    ended = _cpu_s(live.server.process), _cpu_s(*live.server.workers()), _tree_cpu_s(browser)
    server, worker, chromium_cores = (
        (after - before) / spent_s for before, after in zip(began, ended, strict=True)
    )
    return {"logs": logs, "server": server, "worker": worker, "browser": chromium_cores}


def _record(
    n_pages: int, fps: float, seconds: float, asked: Sequence[tuple[int, float]], found: Any
) -> Record:
    ages_ms = [age for log in found["logs"] for age in _ages_ms(asked, log)]
    displayed = [len(log) / seconds for log in found["logs"]]
    return {
        "case": f"websocket to {n_pages} Chromium pages",
        "transport": "websocket",
        "viewers": n_pages,
        "width_px": SIZE_PX[0],
        "height_px": SIZE_PX[1],
        "asked_fps": fps,
        "server_cores": found["server"],
        "worker_cores": found["worker"],
        "browser_cores": found["browser"],
        "displayed_fps_least": min(displayed),
        "displayed_fps_median": median(displayed),
        "displayed_age_p50_ms": percentile(ages_ms, 50),
        "displayed_age_p95_ms": percentile(ages_ms, 95),
    }


def _ages_ms(asked: Sequence[tuple[int, float]], log: Sequence[Sequence[float]]) -> Iterator[float]:
    """Give from the newest wish for a slice to its being displayed, for each change of a page."""
    for number, at_ms in log:
        times = [at for n, at in asked if n == number and at_ms - _OLDEST_MS < at <= at_ms]
        if times:
            yield at_ms - times[-1]


def _cpu_s(*processes: psutil.Process) -> float:
    spent = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system
    return spent


def _tree_cpu_s(process: psutil.Process) -> float:
    return _cpu_s(process, *process.children(recursive=True))


@contextmanager
def _driver(
    live: Live, code: str, n_viewers: tuple[int, int], fps: float, all_there: threading.Event
) -> Iterator[list[tuple[int, float]]]:
    """Share a session and change its slice, in a thread; gives what was asked for, and when.

    Slowly, until all are there: pages that open take all that the machine has. Of the viewers the
    first number are pages, which join by themselves.
    """
    n_pages, company = n_viewers
    folder = live.server.config.runtime_dir
    asked: list[tuple[int, float]] = []
    ready, stop = threading.Event(), threading.Event()

    async def drive() -> None:
        async with connect_kernel(live.server.address) as kernel:
            patch = {"width_px": SIZE_PX[0], "height_px": SIZE_PX[1], "interpolate": False}
            opened = await kernel.open(ref=VolumeRef(url=str(live.path)), patch=patch)
            await kernel.send(
                ls.OpenLink(
                    session=opened.session,
                    id=secrets.token_hex(8),
                    code=code,
                    role="viewer",
                    expires_s=600,
                    max_viewers=n_pages,
                )
            )
            async with connect_viewer(live.server.address, opened.token) as viewer:
                await viewer.message(p.Welcome, lambda welcome: welcome.info is not None)
                async with receiving(folder, opened.token, company, "websocket"):
                    ready.set()
                    while not stop.is_set():
                        pace = fps if all_there.is_set() else _CALM_FPS
                        await _change(viewer, asked)
                        await asyncio.sleep(1 / pace)

    thread = start_thread(lambda: asyncio.run(drive()), name="blustream-bench-driver")
    try:
        if not ready.wait(_TIMEOUT_S):
            raise TimeoutError("The session was not shared.")
        yield asked
    finally:
        stop.set()
        thread.join(_TIMEOUT_S)


async def _change(viewer: ViewerClient, asked: list[tuple[int, float]]) -> None:
    seq = len(asked) + 1
    number = seq % N_SLICES
    asked.append((number, 1000 * time.time()))
    await viewer.send(vm.ChangeSlice(seq=seq, slice_idx=number))
    viewer.frames.clear()
    viewer.inbox.items.clear()
