"""Somebody with a browser of their own, who looks at a shared view on a page without Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.bench.barcode import shown_number
from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

TIMEOUT_MS = 30_000


class Person:
    """A browser's context with one page; what goes wrong in it is in `problems`."""

    def __init__(self, browser: Browser, name: str, **settings) -> None:
        self.name = name
        self.context: BrowserContext = browser.new_context(**settings)
        self.context.set_default_timeout(TIMEOUT_MS)
        self.problems: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))

    def shown(self) -> int | None:
        return shown_number(NotebookPage.pixels(self, "#view"))

    def wait_shown(self, number: int) -> None:
        wait_until(
            lambda: self.shown() == number,
            timeout_s=30,
            what=lambda: f"{self.name} sees slice {number}, not {self.shown()}",
        )

    def close(self) -> None:
        self.context.close()
