"""The viewer on a page of its own: pictures by formula, no server, no notebook."""

from __future__ import annotations

import functools
import http.server
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

_JS = Path(__file__).parents[3] / "js"
OpenViewer = Callable[..., "DevPage"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class DevPage:
    """A page of `js/dev` with one viewer or more."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    @property
    def state(self) -> dict[str, Any]:
        return self.page.evaluate("dev.session.state")

    @property
    def slice_idx(self) -> int:
        state = self.state
        return state["slice_idx"][state["axis"]]

    @property
    def leaked(self) -> list[str]:
        """Keys that reached the document."""
        return self.page.evaluate("dev.keysThatLeaked")

    @property
    def view(self) -> Locator:
        return self.page.locator(".view").first

    @property
    def canvas_box(self) -> dict[str, float]:
        box = self.page.locator("canvas").first.bounding_box()
        assert box is not None
        return box

    @property
    def centre(self) -> tuple[float, float]:
        box = self.view.bounding_box()
        assert box is not None
        # Not between two voxels, where rounding would decide.
        return box["x"] + box["width"] / 2 + 0.6, box["y"] + box["height"] / 2 + 0.6

    def wait(self, claim: str) -> None:
        """Wait until a JavaScript expression is true."""
        self.page.wait_for_function(claim, timeout=10_000)

    def wait_slice(self, slice_idx: int) -> None:
        self.wait(f"dev.session.state.slice_idx[dev.session.state.axis] === {slice_idx}")

    def click(self) -> None:
        self.page.mouse.click(*self.centre)

    def right_drag(self, dx: float, dy: float) -> None:
        x, y = self.centre
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down(button="right")
        mouse.move(x + dx, y + dy, steps=4)
        mouse.up(button="right")


@pytest.fixture(scope="session")
def dev_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the dev page, bundled from the sources as they are."""
    folder = tmp_path_factory.mktemp("dev-page")
    subprocess.run(["node", "dev/build.mjs", str(folder)], cwd=_JS, check=True, timeout=60)
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        # A server of the test, not of the package: it has no errors that a user must see.
        thread = threading.Thread(target=server.serve_forever, daemon=True)  # noqa: TID251
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()
        thread.join(timeout=10)


@pytest.fixture
def open_viewer(dev_site: str, browser: Browser) -> Iterator[OpenViewer]:
    """Open the dev page: `open_viewer("volume=medical", width=390, touch=True)`."""
    pages: list[DevPage] = []

    def open_it(
        query: str = "", *, width: int = 640, height: int = 440, touch: bool = False, **more: Any
    ) -> DevPage:
        context = browser.new_context(
            viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch, **more
        )
        opened = DevPage(context.new_page())
        pages.append(opened)
        separator = "&" if query else ""
        opened.page.goto(f"{dev_site}?{query}{separator}height={height}")
        opened.wait("window.dev !== undefined")
        if "state=" not in query and "delivery=" not in query:
            # The picture of the pane's own size: the first one is of the session's default.
            opened.wait("dev.session.lastFrame()?.header.revision === dev.session.state.revision")
        return opened

    yield open_it
    for opened in pages:
        opened.page.context.close()
    assert [problem for opened in pages for problem in opened.problems] == []
