"""The service at a Hub with subdomains and another base address, for names as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.person import Person

from blustream_widget.server_link import Link
from blustream_widget.testing.hub import JupyterHub
from blustream_widget.testing.lab import free_port
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OWNER, GUEST = "alice@example.org", "Zoë van der Ünal"
_PAGE = re.compile(
    r"http://[a-z-]+\.hub\.localhost:\d+/jupyter/services/blustream/[0-9a-f]{24}/guest"
)


@pytest.fixture
def hub(project_root: Path) -> Iterator[JupyterHub]:
    """The Hub of the documentation, with subdomains and below another path."""
    text = (project_root / "docs" / "hub.md").read_text()
    (snippet,) = re.findall(r"```python\n(c\.JupyterHub\.services.*?)```", text, re.DOTALL)
    proxy = project_root / "tests/hub/node_modules/.bin/configurable-http-proxy"
    assert proxy.exists(), "run `make hub`"
    config = snippet.replace("10101", str(free_port()))
    with JupyterHub(config, proxy, {}, domain="hub.localhost", base="/jupyter/") as running:
        yield running


def test_a_guest_comes_through_subdomains_and_bears_their_own_name(
    hub: JupyterHub, browser: Browser, barcode_path: Path, tmp_path: Path, monkeypatch
) -> None:
    for name, value in hub.environment_of(OWNER).items():
        monkeypatch.setenv(name, value)
    settings = {"worker": "blustream_widget.worker", "server_grace_s": 60, "session_grace_s": 60}
    guest = Person(browser, GUEST, viewport={"width": 900, "height": 600})
    with running_server(tmp_path, **settings) as server:
        link = Link(server.config)
        viewer = Viewer(
            barcode_path,
            axis=0,
            slice_idx=20,
            colormap="grey",
            interpolate=False,
            kind="seismic",
            _link=link,
        )
        try:
            shared = viewer.share()
            # The service may not be up yet: it is asked again by itself.
            wait_until(lambda: viewer._hub_page, timeout_s=30, what="the page at the service")
            page, code = shared.url.split("#")
            assert _PAGE.fullmatch(page), page
            guest.page.goto(shared.url)
            guest.page.wait_for_url("**/hub/login**")
            assert code not in guest.page.url
            guest.page.get_by_label("Username").fill(GUEST)
            guest.page.get_by_label("Password").fill("any")
            guest.page.get_by_role("button", name="Sign in").click()
            guest.wait_shown(20)
            assert guest.page.url == page

            def is_named() -> bool:
                # The kernel's loop is Playwright's here: traits change while a page is asked.
                guest.page.wait_for_timeout(10)
                return [person.name for person in viewer.people] == [GUEST.lower()]

            wait_until(
                is_named,
                timeout_s=30,
                what=lambda: f"the guest's name, not {viewer.people}",
            )
            assert guest.problems == []
        finally:
            guest.close()
            viewer.close()
            assert link.join(10)
