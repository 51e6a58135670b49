"""A real JupyterHub with the service as docs/hub.md sets it up: two accounts in two browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser.call_kit import WATCH, record_who_agrees, wait_heard
from tests.browser.person import Person

from blustream_widget.testing.hub import JupyterHub
from blustream_widget.testing.lab import free_port, write_notebook
from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Hub and server need half a minute together where little else runs, and that counts.
pytestmark = pytest.mark.timeout(240)
_WINDOW = {"width": 1400, "height": 800}
_SERVICE = re.compile(r"/services/blustream/[0-9a-f]{24}/guest")
# What a WebSocket of this page to an address says: "open", or the code that it was closed with.
_OPEN_SOCKET = """(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onopen = () => { socket.close(); resolve('open'); };
  socket.onclose = ({ code }) => resolve(code);
})"""


@pytest.fixture(scope="module")
def hub(project_root: Path) -> Iterator[JupyterHub]:
    """The Hub of the documentation; Alice's server is about to start."""
    text = (project_root / "docs" / "hub.md").read_text()
    (snippet,) = re.findall(r"```python\n(c\.JupyterHub\.services.*?)```", text, re.DOTALL)
    proxy = project_root / "tests/hub/node_modules/.bin/configurable-http-proxy"
    assert proxy.exists(), "run `make hub`"
    environment = {
        "BLUSTREAM_TRANSPORTS": "websocket",  # pictures go through the service, then
        "BLUSTREAM_SERVER_GRACE_S": "2",
        "BLUSTREAM_SESSION_GRACE_S": "2",
    }
    with JupyterHub(snippet.replace("10101", str(free_port())), proxy, environment) as running:
        running.start_server("alice")
        yield running


class Account(Person):
    """Somebody whom the Hub knows."""

    def log_in(self) -> None:
        """Fill in the Hub's form, which is shown."""
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill("any")
        self.page.get_by_role("button", name="Sign in").click()

    def heading(self, name: str) -> None:
        self.page.get_by_role("heading", name=name).wait_for()


class _AliceLab:
    """Her JupyterLab, as `NotebookPage` knows one."""

    def __init__(self, hub: JupyterHub) -> None:
        self._hub = hub

    def notebook_url(self, name: str) -> str:
        return f"{self._hub.url}/user/alice/lab/tree/{name}?reset"


@pytest.fixture(scope="module")
def alice(hub: JupyterHub, browser: Browser, barcode_path: Path) -> Iterator[NotebookPage]:
    """Her notebook, which shows the volume at slice 20."""
    code = (
        f"from blustream_widget import Viewer\nviewer = Viewer({str(barcode_path)!r}, axis=0,"
        " slice_idx=20, colormap='grey', interpolate=False, kind='seismic', height=420)\nviewer"
    )
    write_notebook(hub.folder("alice") / "n.ipynb", [code])
    hub.wait_server("alice")
    account = Account(browser, "alice", viewport=_WINDOW)
    account.page.goto(f"{hub.url}/hub/login?next=%2Fhub%2Fhome")
    account.log_in()
    account.page.wait_for_url("**/hub/home")
    account.page.close()
    page = NotebookPage(browser, _AliceLab(hub), "n.ipynb", context=account.context)
    page.run_all()
    yield page
    page.close()


@pytest.fixture(scope="module")
def bob(browser: Browser) -> Iterator[Account]:
    account = Account(browser, "bob", viewport=_WINDOW)
    yield account
    account.close()


def test_a_guest_with_an_account_sees_the_owners_view_and_moves_it_when_allowed(
    hub: JupyterHub, alice: NotebookPage, bob: Account
) -> None:
    wait_until(
        lambda: _SERVICE.search(alice.read_python("viewer._guest_page")),
        timeout_s=30,
        what="the kernel knows where guests find the view",
    )
    link = alice.read_python("viewer.share().url")
    page, code = link.split("#")
    assert _SERVICE.fullmatch(page.removeprefix(hub.url))
    bob.page.goto(link)
    bob.page.wait_for_url("**/hub/login**")
    assert code not in bob.page.url  # a form would lose it, and nobody else is to know it
    bob.log_in()
    bob.wait_shown(20)
    assert bob.page.url == page
    # Live, and as whom the Hub knows him.
    alice.run_python("viewer.slice_idx = 33")
    bob.wait_shown(33)
    here = [["alice", "owner", "websocket"], ["bob", "viewer", "websocket"]]
    known = "[(p.name, p.role, p.transport) for p in viewer.people]"
    wait_until(
        lambda: alice.read_python(known) == here,
        timeout_s=30,
        what=lambda: f"the owner knows who is here, not {alice.read_python(known)}",
    )
    # A viewer's keys move nothing; an editor's do.
    bob.page.get_by_role("application").focus()
    bob.page.keyboard.press("ArrowDown")
    bob.page.get_by_role("button", name="People: 2 here").click()
    bob.page.get_by_role("button", name="Ask to drive").wait_for()
    bob.page.keyboard.press("Escape")
    assert (bob.shown(), alice.read_python("viewer.slice_idx")) == (33, 33)
    alice.run_python("viewer.people[-1].set_role('editor')")
    bob.page.get_by_role("button", name="Look around").wait_for(state="detached")
    bob.page.get_by_role("application").focus()
    bob.page.keyboard.press("ArrowDown")
    bob.wait_shown(34)
    wait_until(
        lambda: alice.read_python("viewer.slice_idx") == 34,
        timeout_s=30,
        what="the owner's view has moved",
    )
    assert bob.problems == []


def test_the_share_dialog_gives_the_same_way_in(alice: NotebookPage, hub: JupyterHub) -> None:
    alice.page.get_by_role("button", name="People: 2 here").click()
    alice.page.get_by_role("button", name="Make a link").click()
    address = alice.page.locator("[part=address]").input_value()
    assert _SERVICE.match(address.removeprefix(hub.url))
    # The button that was pressed is gone, the keys are not.
    expect(alice.page.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    alice.page.keyboard.press("Escape")
    alice.page.get_by_role("dialog", name="Share this view").wait_for(state="hidden")


def test_nothing_else_of_the_owners_is_in_a_guests_reach(
    hub: JupyterHub, alice: NotebookPage, bob: Account
) -> None:
    port = hub.url.rsplit(":", 1)[1]
    for path in (
        "api/kernels",
        "api/contents",
        "api/terminals",
        "lab",
        f"proxy/{port}/",
        "blustream/guest",
    ):
        answer = bob.context.request.get(
            f"{hub.url}/user/alice/{path}", headers={"Cache-Control": "no-store"}
        )
        assert answer.status == 403, (path, answer.url)
    kernel = alice.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.id")
    sockets = hub.url.replace("http", "ws")
    for path in (
        f"user/alice/api/kernels/{kernel}/channels",
        "user/alice/terminals/websocket/1",
        "user/alice/blustream/ws",
        "user/alice/blustream-direct/ws",
        f"user/alice/proxy/{port}/",
    ):
        assert bob.page.evaluate(_OPEN_SOCKET, f"{sockets}/{path}") == 1006, path
    # The service's own cookies and addresses open nothing more.
    desk = bob.page.url.removesuffix("guest")
    for path in ("api/kernels", "lab", f"proxy/{port}/", "%2e%2e/%2e%2e/user/alice/lab"):
        assert bob.context.request.get(desk + path).status == 404, path


def test_who_stops_sharing_is_alone_at_once(
    hub: JupyterHub, alice: NotebookPage, bob: Account
) -> None:
    link = alice.read_python("viewer.share().url")
    alice.run_python("viewer.stop_sharing()")
    bob.heading("The view is not shared any more")
    bob.page.goto(link)
    bob.heading("Nothing is shared here at the moment")
    assert alice.problems == []


def test_the_owner_and_a_guest_talk_until_the_guest_is_shown_out(
    hub: JupyterHub, alice: NotebookPage, bob: Account, tmp_path: Path
) -> None:
    link = alice.read_python("viewer.share().url")
    alice.page.evaluate(WATCH)
    bob.context.add_init_script(WATCH)
    bob.page.goto(link)
    bob.wait_shown(alice.read_python("viewer.slice_idx"))
    origin = hub.url
    for context in (alice.page.context, bob.context):
        context.grant_permissions(["microphone"], origin=origin)
    alice.page.get_by_role("button", name="People: 2 here").click()
    # The link that was made there ended with the sharing: its address is not shown any more.
    alice.page.get_by_role("button", name="Make a link").wait_for()
    bob.page.get_by_role("button", name="People: 2 here").click()
    for page in (alice.page, bob.page):
        page.get_by_role("button", name="Talk").click()
    for page in (alice.page, bob.page):
        page.locator("[part=talks][data-state=connected]").nth(1).wait_for()
    wait_heard(bob.page, is_loud=True, what="the guest hears the owner")
    wait_heard(alice.page, is_loud=True, what="the owner hears the guest")
    record_who_agrees(bob, alice.page, alice, tmp_path / "talk.mp4", "bob")
    alice.run_python("viewer.people[-1].remove()")
    bob.heading("Your visit has ended")
    wait_until(
        lambda: bob.page.evaluate("window.tracks.map((t) => t.readyState)") == ["ended"],
        timeout_s=30,
        what="the guest's microphone is off",
    )
    alice.page.locator("[part=talks]").nth(1).wait_for(state="detached")
    alice.page.get_by_role("button", name="Leave the call").click()
    assert alice.problems == bob.problems == []
