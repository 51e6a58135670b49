"""The service at Hubs with subdomains, another base address, and a login at another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser.person import Person

from blustream_widget.server_link import Link
from blustream_widget.testing.hub import JupyterHub
from blustream_widget.testing.lab import free_port
from blustream_widget.testing.login_provider import login_provider
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.viewer import Viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OWNER, GUEST = "alice@example.org", "Zoë van der Ünal"
_PAGE = re.compile(
    r"http://[a-z-]+\.hub\.localhost:\d+/jupyter/services/blustream/[0-9a-f]{24}/guest"
)


@contextmanager
def running_hub(project_root: Path, port: int, more: str = "") -> Iterator[JupyterHub]:
    """The Hub of the documentation, with subdomains and below another path."""
    text = (project_root / "docs" / "hub.md").read_text()
    (snippet,) = re.findall(r"```python\n(c\.JupyterHub\.services.*?)```", text, re.DOTALL)
    proxy = project_root / "tests/hub/node_modules/.bin/configurable-http-proxy"
    assert proxy.exists(), "run `make hub`"
    config = snippet.replace("10101", str(free_port()))
    place = {"domain": "hub.localhost", "base": "/jupyter/", "port": port}
    with JupyterHub(config, proxy, {}, **place, more=more) as running:
        yield running


@pytest.fixture
def guest(browser: Browser) -> Iterator[Person]:
    person = Person(browser, GUEST, viewport={"width": 900, "height": 600})
    yield person
    person.close()


@pytest.fixture
def owner(barcode_path: Path, tmp_path: Path, monkeypatch) -> Iterator[Owner]:
    settings = {"worker": "blustream_widget.worker", "server_grace_s": 60, "session_grace_s": 60}
    with running_server(tmp_path, **settings) as server:
        link = Link(server.config)
        owner = Owner(barcode_path, link, monkeypatch)
        yield owner
        owner.close()
        assert link.join(10)


class Owner:
    """Somebody with a server of their own at the Hub, as far as sharing needs one."""

    viewer: Viewer | None = None

    def __init__(self, volume: Path, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
        self._volume, self._link, self._monkeypatch = volume, link, monkeypatch

    def share(self, hub: JupyterHub) -> str:
        """Show slice 20, and give the address for guests."""
        for name, value in hub.environment_of(OWNER).items():
            self._monkeypatch.setenv(name, value)
        look = {"colormap": "grey", "interpolate": False, "kind": "seismic"}
        viewer = Viewer(self._volume, axis=0, slice_idx=20, **look, _link=self._link)
        self.viewer = viewer
        shared = viewer.share()
        # The service may not be up yet: it is asked again by itself.
        wait_until(lambda: viewer._hub_page, timeout_s=30, what="the page at the service")
        return shared.url

    def wait_people(self, guest: Person, names: list[str]) -> None:
        """Wait until the kernel knows who is here."""
        viewer = self.viewer
        assert viewer is not None

        def are_named() -> bool:
            # The kernel's loop is Playwright's here: traits change while a page is asked.
            guest.page.wait_for_timeout(10)
            return [person.name for person in viewer.people] == names

        wait_until(are_named, timeout_s=30, what=lambda: f"{names}, not {viewer.people}")

    def close(self) -> None:
        if self.viewer is not None:
            self.viewer.close()


def test_a_guest_comes_through_subdomains_and_bears_their_own_name(
    project_root: Path, owner: Owner, guest: Person
) -> None:
    with running_hub(project_root, free_port()) as hub:
        url = owner.share(hub)
        page, code = url.split("#")
        assert _PAGE.fullmatch(page), page
        guest.page.goto(url)
        guest.page.wait_for_url("**/hub/login**")
        assert code not in guest.page.url
        guest.page.get_by_label("Username").fill(GUEST)
        guest.page.get_by_label("Password").fill("any")
        guest.page.get_by_role("button", name="Sign in").click()
        guest.wait_shown(20)
        assert guest.page.url == page
        owner.wait_people(guest, [GUEST.lower()])
        assert guest.problems == []


def test_a_guest_whose_login_is_at_another_site_comes_back_with_the_code(
    project_root: Path, owner: Owner, guest: Person
) -> None:
    port = free_port()
    program = project_root / "tests/hub/login_provider.mjs"
    seen: list[str] = []
    guest.page.on("request", lambda request: seen.append(request.url))
    hub_url = f"http://hub.localhost:{port}/jupyter/hub/"
    with (
        login_provider(program, hub_url) as provider,
        running_hub(project_root, port, provider.config(hub_url)) as hub,
    ):
        url = owner.share(hub)
        page, code = url.split("#")
        guest.page.goto(url)
        guest.page.get_by_role("button", name="Sign in with the other site").click()
        guest.page.wait_for_url(f"{provider.url}/**")
        guest.page.get_by_placeholder("Enter any login").fill("mei")
        guest.page.get_by_placeholder("and password").fill("any")
        guest.page.get_by_role("button", name="Sign-in").click()
        guest.page.get_by_role("button", name="Continue").click()
        guest.wait_shown(20)
        assert guest.page.url == page
        owner.wait_people(guest, ["mei"])
        assert any(address.startswith(provider.url) for address in seen)
        assert not any(code in address for address in seen)
        assert guest.problems == []
