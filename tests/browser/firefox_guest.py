"""Somebody in a Firefox who looks at a shared view: finds things by name, clicks and types."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.browser.firefox import FirefoxPage, firefox_page

from blustream_widget.bench.barcode import shown_number
from blustream_widget.testing import notebook_page
from blustream_widget.testing.waiting import wait_until

_ANSWER_S = 60.0
# The first element that is seen, is that (its role, or its part of a component) and has that name;
# with `isPart`, one that has it in its name or its text.
_FIND = r"""(what, name, isPart) => {
  const ROLES = { BUTTON: 'button', H1: 'heading', INPUT: 'field' };
  const all = (root) => [...root.querySelectorAll('*')]
    .flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const is = (e) =>
    [e.getAttribute('role') ?? ROLES[e.tagName], e.getAttribute('part')].includes(what);
  const isNamed = (e) => {
    const said = e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent ?? e.textContent;
    return isPart ? `${said} ${e.textContent}`.includes(name) : said.trim() === name;
  };
  return all(document).find((e) => is(e) && isNamed(e) && e.checkVisibility());
}"""
_BOX = f"""(...wanted) => {{
  const found = ({_FIND})(...wanted);
  if (!found || found.disabled) return null;
  found.scrollIntoView({{ block: 'nearest' }});
  const {{ x, y, width, height }} = found.getBoundingClientRect();
  return [x, y, width, height];
}}"""
_PICTURE = f"() => ({notebook_page._PIXELS})(document.querySelector('#view'))"
_PRIMARY = 0
# Of WebDriver: https://www.w3.org/TR/webdriver2/#keyboard-actions
KEYS = {
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Control": "\ue009",
    "Escape": "\ue00c",
    "ArrowDown": "\ue015",
}


class FirefoxGuest:
    """A tab; for another thread than the one that drives the browser."""

    def __init__(self, loop: asyncio.AbstractEventLoop, page: FirefoxPage) -> None:
        self._loop = loop
        self._page = page

    @property
    def problems(self) -> list[str]:
        return self._page.problems

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ANSWER_S)

    def evaluate(self, function: str, *values: Any) -> Any:
        """Call a JavaScript function; its values and result are JSON's."""
        return self._do(self._page.run(function, *values))

    def run_first(self, function: str) -> None:
        """Call a JavaScript function in each document to come, before its own scripts."""
        self._do(self._page.run_first(function))

    def wait_for(self, function: str, *values: Any) -> Any:
        """Call a JavaScript function until what it gives is true, and give that."""
        return self._do(self._page.wait_for(function, *values))

    def goto(self, url: str) -> None:
        self._do(self._page.goto(url))

    def resize(self, width_px: int, height_px: int) -> None:
        self._do(self._page.resize(width_px, height_px))

    def screenshot(self, path: Path) -> None:
        """Save a PNG of the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._do(self._page.screenshot()))

    def leave(self) -> None:
        """Go away from the page; the tab stays."""
        self.goto("about:blank")

    def close(self) -> None:
        self._do(self._page.close())

    # ------------------------------------------------------------ what is there

    def box(self, what: str, name: str, *, is_part: bool = False) -> list[float]:
        """Wait for something of a role or part; gives its left and upper edge, width and height."""
        return self.wait_for(_BOX, what, name, is_part)

    def view_box(self) -> list[float]:
        """Left and upper edge of the view, its width and height."""
        return self.box("application", "", is_part=True)

    def attribute(self, name: str) -> str:
        """What the page says of itself."""
        return self.evaluate("(name) => document.querySelector('#view').dataset[name]", name)

    def pixels(self) -> npt.NDArray[np.uint8]:
        """Picture that is shown, shape (height, width, 4)."""
        found = self.evaluate(_PICTURE)
        if found is None:
            return np.zeros((0, 0, 4), np.uint8)
        values = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
        return values.reshape(found["height"], found["width"], 4)

    def shown(self) -> int | None:
        return shown_number(self.pixels())

    def wait_shown(self, number: int) -> None:
        wait_until(
            lambda: self.shown() == number,
            timeout_s=30,
            what=lambda: f"Firefox shows slice {number}, not {self.shown()}; {self.problems}",
        )

    # ------------------------------------------------------------ hands

    def move(self, *places: tuple[float, float]) -> None:
        """Move the mouse from place to place, in pixels of the window."""
        steps = [{"type": "pointerMove", "x": round(x), "y": round(y)} for x, y in places]
        self._do(self._page.act("pointer", *steps))

    def click_at(self, x: float, y: float) -> None:
        self._do(
            self._page.act(
                "pointer",
                {"type": "pointerMove", "x": round(x), "y": round(y)},
                {"type": "pointerDown", "button": _PRIMARY},
                {"type": "pointerUp", "button": _PRIMARY},
            )
        )

    def click(self, name: str, *, what: str = "button") -> None:
        """Wait for it, and click its middle."""
        x, y, width, height = self.box(what, name)
        self.click_at(x + width / 2, y + height / 2)

    def focus_view(self) -> None:
        """Click the middle of the view, as somebody does before they use keys."""
        x, y, width, height = self.view_box()
        self.click_at(x + width / 2, y + height / 2)

    def press(self, *keys: str) -> None:
        """Hold keys down in this order, and let them go in the other."""
        values = [KEYS.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        self._do(self._page.act("key", *down, *up))

    def type(self, text: str) -> None:
        strokes = [{"type": way, "value": key} for key in text for way in ("keyDown", "keyUp")]
        self._do(self._page.act("key", *strokes))

    def join(self, name: str) -> None:
        self.click("Your name", what="field")
        self.press("Control", "a")  # the name that they had before
        self.type(name)
        self.click("Join")


class Firefox:
    """A browser that runs in a thread of its own: Playwright's loop may run in the tests'."""

    def __init__(self, loop: asyncio.AbstractEventLoop, first: FirefoxPage) -> None:
        self._loop = loop
        self._first = first

    def open(self) -> FirefoxGuest:
        """Open another tab, in front."""
        opening = asyncio.run_coroutine_threadsafe(self._first.another(), self._loop)
        return FirefoxGuest(self._loop, opening.result(_ANSWER_S))


@contextlib.contextmanager
def firefox(executable: str, home: Path, **settings: Any) -> Iterator[Firefox]:
    """Start Firefox for the block, as `firefox_page` does."""
    loop = asyncio.new_event_loop()
    opened = firefox_page(executable, home, **settings)

    def wait(work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_ANSWER_S)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.run_forever)
        try:
            first = wait(opened.__aenter__())
            try:
                yield Firefox(loop, first)
            finally:
                wait(opened.__aexit__(None, None, None))
        finally:
            loop.call_soon_threadsafe(loop.stop)
    loop.close()
