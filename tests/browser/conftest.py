"""A JupyterLab and a Chromium for all browser tests; a page, and a look for leftovers, for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.person import Person

from blustream_widget.bench.barcode import shown_number
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenNotebook = Callable[..., NotebookPage]
_TABS = """() => [...jupyterapp.shell.widgets('main')].map(({ title, sessionContext }) =>
  `${title.label}: ${sessionContext?.session?.kernel?.status}`)"""
_OUTPUT = Path(__file__).parent.parent.parent / "test-output"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs a browser, and more time than others."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab server with nothing of the user's configuration."""
    environment = {
        # WebRTC over loopback only, and nobody is waited for longer than a test can wait.
        "BLUSTREAM_ICE_LOOPBACK": "1",
        "BLUSTREAM_SERVER_GRACE_S": "2",
        "BLUSTREAM_SESSION_GRACE_S": "2",
        "BLUSTREAM_IDLE_S": "2",
        # As on a Hub; it must not get further than Jupyter and its kernels.
        "JUPYTERHUB_API_TOKEN": "hub-token-of-the-tests",
    }
    with JupyterLab(tmp_path_factory.mktemp("notebooks"), environment=environment) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless; its microphones beep, and there are three cameras."""
    devices = "--use-fake-device-for-media-stream=device-count=3"
    flags = ("--allow-loopback-in-peer-connection", devices)
    with chromium(*flags) as started:
        yield started


class _Kept:
    """The page that tests use one after the other: JupyterLab takes long to load."""

    def __init__(self) -> None:
        self.page: NotebookPage | None = None

    def open(
        self, browser: Browser, lab: JupyterLab, file: str, width_px: int, height_px: int
    ) -> NotebookPage:
        page, self.page = self.page, None
        if page is not None and (page.page.is_closed() or not self._goes_on(page, file)):
            page.close()
            page = None
        if page is None:
            page = NotebookPage(browser, lab, file)
        page.page.set_viewport_size({"width": width_px, "height": height_px})
        page.page.mouse.move(0, 0)
        return page

    def _goes_on(self, page: NotebookPage, file: str) -> bool:
        """Open a notebook on it; False if its kernel is not there in time.

        What the page shows then is kept, for whoever has to find out why.
        """
        from playwright.sync_api import TimeoutError as BrowserTimeout

        try:
            page.open(file, timeout_s=20)
        except BrowserTimeout:
            page.screenshot(_OUTPUT / f"no-kernel-{file}.png")
            tabs = page.page.evaluate(_TABS)
            (_OUTPUT / f"no-kernel-{file}.txt").write_text("\n".join([*tabs, *page.problems]))
            return False
        return True

    def keep(self, page: NotebookPage) -> None:
        page.leave()
        self.page = page


@pytest.fixture(scope="session")
def kept_page() -> Iterator[_Kept]:
    """What is left of the test before."""
    kept = _Kept()
    yield kept
    if kept.page is not None:
        kept.page.close()


@pytest.fixture
def open_notebook(
    lab: JupyterLab, browser: Browser, kept_page: _Kept, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Open a notebook made of code cells: `page = open_notebook("import …", "viewer")`.

    The first one of a test is a new tab of a JupyterLab that is open already, unless it is asked
    for with `fresh=True` or with options of `NotebookPage` other than its size. A failed test
    leaves a screenshot and what the page complained about in test-output/. Kernels end with the
    test.
    """
    name = re.sub(r"\W+", "-", request.node.name)
    pages: list[NotebookPage] = []
    kept: list[NotebookPage] = []

    def open_it(
        *cells: str,
        fresh: bool = False,
        width_px: int = 1280,
        height_px: int = 900,
        **options: object,
    ) -> NotebookPage:
        file = f"{name}-{len(pages)}.ipynb"
        lab.write_notebook(file, list(cells))
        if fresh or options or pages:
            size = {"width_px": width_px, "height_px": height_px}
            pages.append(NotebookPage(browser, lab, file, **size, **options))
        else:
            pages.append(kept_page.open(browser, lab, file, width_px, height_px))
            kept.append(pages[-1])
        return pages[-1]

    yield open_it
    failed = request.node.stash.get(FAILED, False)
    for index, page in enumerate(pages):
        if failed:
            page.screenshot(_OUTPUT / f"{name}-{index}.png")
            (_OUTPUT / f"{name}-{index}.txt").write_text(
                "\n".join([*page.problems, lab.log_tail()])
            )
        gone = page.page.is_closed() or not page.page.url.startswith(lab.url)
        if failed or gone or page not in kept:
            page.close()
        else:
            kept_page.keep(page)
    lab.delete_sessions()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Remember that the test itself failed, for the fixtures that are torn down after it."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def barcode_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume whose slice k of axis 0 shows k: 96 slices in two layers of bricks."""
    from blustream_widget.bench.barcode import write_barcode_volume

    path = tmp_path_factory.mktemp("volumes") / "barcode.vds"
    write_barcode_volume(path, (96, 160, 96))
    return path


class ViewerPage:
    """A page with one viewer of the barcode volume, whose pixels say which slice is shown."""

    def __init__(self, page: NotebookPage) -> None:
        self.page = page

    @property
    def host(self):
        return self.page.viewer()

    def shown(self, index: int = 0) -> int | None:
        """Number of the slice that the pixels show."""
        return shown_number(self.page.pixels(self.page.viewer(index)))

    def wait_shown(self, number: int, *, index: int = 0, timeout_s: float = 30.0) -> None:
        wait_until(
            lambda: self.shown(index) == number,
            timeout_s=timeout_s,
            what=lambda: f"slice {number} is shown, not {self.shown(index)}",
        )

    def wait_attribute(self, name: str, value: str, *, timeout_s: float = 30.0) -> None:
        wait_until(
            lambda: self.host.get_attribute(name) == value,
            timeout_s=timeout_s,
            what=lambda: f"{name} is {value}, not {self.host.get_attribute(name)}",
        )

    def focus(self) -> None:
        """Click the picture, as a user does before scrolling."""
        box = self.host.bounding_box()
        assert box is not None
        self.page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def wheel(self, notches: int) -> None:
        """Turn the wheel over the picture, one event a notch."""
        for _ in range(abs(notches)):
            self.page.page.mouse.wheel(0, 100 if notches > 0 else -100)


@pytest.fixture
def open_viewer(open_notebook: OpenNotebook, barcode_path: Path) -> Callable[..., ViewerPage]:
    """Open a notebook with a viewer at slice 20: `view = open_viewer("transports='comm'")`.

    Further cells come after the one that shows it.
    """

    def open_it(
        options: str = "", *cells: str, first: int = 20, **page_options: object
    ) -> ViewerPage:
        code = (
            "from blustream_widget import Viewer\n"
            f"viewer = Viewer({str(barcode_path)!r}, axis=0, slice_idx={first}, colormap='grey',"
            f" interpolate=False, kind='seismic', height=420, {options})\nviewer"
        )
        page = open_notebook(code, *cells, **page_options)
        page.run_all()
        view = ViewerPage(page)
        view.wait_shown(first)
        return view

    return open_it


class Guest(Person):
    """A person who opens a link in a browser of their own, logged in to the same Jupyter."""

    def __init__(self, browser: Browser, lab: JupyterLab, link: str, init_script: str) -> None:
        size = {"width": 1100, "height": 640}
        super().__init__(browser, "the guest", viewport=size, color_scheme="dark")
        self.page.add_init_script(init_script)
        self.page.on("console", self._note)
        self.context.request.get(f"{lab.url}/lab?token={lab.token}")  # logs in
        self.page.goto(link)

    def _note(self, message) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def join(self, name: str) -> None:
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Join").click()


@pytest.fixture
def visit(lab: JupyterLab, browser: Browser) -> Iterator[Callable[..., Guest]]:
    """Open a link as a guest does: `guest = visit(link)`. `init_script` runs before the page's."""
    guests: list[Guest] = []

    def visit_it(link: str, *, init_script: str = "") -> Guest:
        guests.append(Guest(browser, lab, link, init_script))
        return guests[-1]

    yield visit_it
    for guest in guests:
        guest.close()
