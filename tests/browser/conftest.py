"""A JupyterLab and a Chromium for all browser tests; a page, and a look for leftovers, for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OpenNotebook = Callable[..., NotebookPage]
_OUTPUT = Path(__file__).parent.parent.parent / "test-output"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs a browser, and more time than others."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab server with nothing of the user's configuration."""
    with JupyterLab(tmp_path_factory.mktemp("notebooks")) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with chromium() as started:
        yield started


@pytest.fixture
def open_notebook(
    lab: JupyterLab, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[OpenNotebook]:
    """Open a notebook made of code cells: `page = open_notebook("import …", "viewer")`.

    Its options are those of `NotebookPage`. A failed test leaves a screenshot and what the page
    complained about in test-output/. Kernels end with the test.
    """
    name = re.sub(r"\W+", "-", request.node.name)
    pages: list[NotebookPage] = []

    def open_it(*cells: str, **options: object) -> NotebookPage:
        file = f"{name}-{len(pages)}.ipynb"
        lab.write_notebook(file, list(cells))
        pages.append(NotebookPage(browser, lab, file, **options))
        return pages[-1]

    yield open_it
    for index, page in enumerate(pages):
        if request.node.stash.get(FAILED, False):
            page.screenshot(_OUTPUT / f"{name}-{index}.png")
            (_OUTPUT / f"{name}-{index}.txt").write_text(
                "\n".join([*page.problems, lab.log_tail()])
            )
        page.close()
    lab.delete_sessions()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Remember that the test itself failed, for the fixtures that are torn down after it."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
