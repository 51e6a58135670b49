"""Where a page gets the front end from: once from Jupyter, or from the kernel."""

from __future__ import annotations

import pytest

from blustream_widget.testing.waiting import wait_until

FILES = "**/blustream-direct/widget-*.js"


@pytest.fixture
def context(browser):
    return browser.new_context(viewport={"width": 1280, "height": 900})


def test_viewers_of_a_page_share_what_jupyter_gives_out(context, open_viewer) -> None:
    asked = []
    context.on("request", lambda request: asked.append(request.url))
    second = "import numpy as np\nViewer(np.zeros((4, 8, 8), 'f4'))"
    view = open_viewer("", second, context=context)
    wait_until(
        lambda: view.page.viewer(1).get_attribute("data-phase") == "live",
        timeout_s=30,
        what="the second viewer is live",
    )
    assert len([url for url in asked if "/blustream-direct/widget-" in url]) == 1
    # What the notebook keeps of a viewer is a few lines.
    assert view.page.read_python("len(viewer._esm)") < 3000


def test_a_page_that_jupyter_does_not_give_it_to_gets_it_from_the_kernel(
    context, open_viewer
) -> None:
    context.route(FILES, lambda route: route.abort())
    view = open_viewer("", context=context)
    view.focus()
    view.wheel(3)
    view.wait_shown(23)
