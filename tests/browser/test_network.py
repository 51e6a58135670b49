"""The notebook's page at the far end of a slow or broken network, in a real Chromium."""

from __future__ import annotations

import itertools
import re

import pytest

from blustream_widget.testing.emulated_network import SERVER_ADDRESS, browser_in, emulated_network
from blustream_widget.testing.emulator import Conditions
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.namespaces import namespace_obstacle
from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

OBSTACLE = namespace_obstacle()
pytestmark = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE or "networks can be emulated")

GOOD = Conditions(rtt_ms=20)
FIRST = 20
CELL = """from blustream_widget import Viewer
viewer = Viewer({path!r}, axis=0, slice_idx={first}, colormap="grey", interpolate=False,
                kind="seismic", transports="websocket", height=520)
viewer"""


# Pixels of the picture, and how far its edges lie from those of the pane, CSS pixels.
PLACEMENT = """(host) => {
  const all = (root, found = []) => {
    found.push(...root.querySelectorAll("*"));
    for (const e of root.querySelectorAll("*")) if (e.shadowRoot) all(e.shadowRoot, found);
    return found;
  };
  const elements = all(host.shadowRoot ?? host);
  const pane = elements.find((e) => e.matches("[part=view]"));
  const view = pane.getBoundingClientRect();
  const picture = pane.querySelector("canvas, video");
  const rect = picture.getBoundingClientRect();
  const edges = ["left", "top", "right", "bottom"].map((edge) => Math.abs(rect[edge] - view[edge]));
  return { width: picture.videoWidth ?? picture.width, pane: view.width, off: Math.max(...edges) };
}"""


class FarPage:
    """The viewer at the other end of a network."""

    def __init__(self, page, network):
        self.page = page
        self.network = network

    @property
    def host(self):
        return self.page.viewer()

    def placement(self):
        return self.host.evaluate(PLACEMENT)

    def shown(self):
        """Number of the slice that the newest displayed picture shows."""
        return int(self.host.get_attribute("data-slice-idx") or -1)

    def wheel(self, notches):
        box = self.page.page.locator("[part=view]").bounding_box()
        self.page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(abs(notches)):
            self.page.page.mouse.wheel(0, 100 if notches > 0 else -100)

    def wait_number(self, number):
        wait_until(
            lambda: self.shown() == number,
            timeout_s=20,
            what=lambda: f"slice {number} is shown, not {self.shown()}",
        )


@pytest.fixture(scope="module")
def far_page(tmp_path_factory, barcode_path):
    folder = tmp_path_factory.mktemp("far")
    environment = {"BLUSTREAM_SERVER_GRACE_S": "2", "BLUSTREAM_SESSION_GRACE_S": "2"}
    with (
        emulated_network() as network,
        network.server.entered(),
        JupyterLab(folder, address=SERVER_ADDRESS, environment=environment) as lab,
        browser_in(network, lab.url) as browser,
    ):
        lab.write_notebook("far.ipynb", [CELL.format(path=str(barcode_path), first=FIRST)])
        page = NotebookPage(browser, lab, "far.ipynb", width_px=1400, height_px=900)
        page.run_all()
        far = FarPage(page, network)
        far.wait_number(FIRST)
        page.viewer().click()
        yield far
        network.set(Conditions())
        page.close()
        lab.delete_sessions()


def test_a_smaller_picture_fills_the_pane_and_the_status_says_why(far_page):
    far_page.network.set(Conditions(rtt_ms=20, rate_bps=1.5e6))
    steps = itertools.cycle((3, -3))
    number, placement, reason = FIRST, {}, ""

    def is_smaller():
        # What the link carries is known after some dozen pictures; a busy machine takes longer.
        nonlocal number, placement, reason
        step = next(steps)
        number += step
        far_page.wheel(step)
        placement = far_page.placement()
        reason = far_page.host.get_attribute("data-held-back")
        return reason and placement["width"] < 0.8 * placement["pane"]

    wait_until(is_smaller, timeout_s=60, what=lambda: f"a smaller picture: {placement}, {reason}")
    far_page.wheel(1)
    assert re.fullmatch(r".+ size.*: the link carries [\d.]+ Mbit/s", reason)
    assert placement["off"] <= 2
    far_page.wait_number(number + 1)


def test_after_an_outage_the_picture_is_live_again(far_page):
    far_page.network.set(GOOD)
    first = far_page.shown()  # the kernel hears of it a little later
    far_page.network.set(Conditions(rtt_ms=20, is_up=False))
    far_page.wheel(2)
    far_page.page.page.wait_for_timeout(3000)  # the outage itself, not a wait for something
    far_page.wheel(3)
    far_page.network.set(GOOD)
    far_page.wait_number(first + 5)
    far_page.wheel(1)
    far_page.wait_number(first + 6)
    # TCP delivers by then what was said on the connection that hung: the view goes nowhere.
    shown = set()
    for _ in range(50):
        far_page.page.page.wait_for_timeout(100)
        shown.add(far_page.shown())
    assert shown == {first + 6}


def test_in_another_network_the_picture_is_live_again(far_page):
    far_page.network.set(GOOD)
    first = far_page.shown()
    far_page.network.move_browser()
    far_page.wheel(2)
    far_page.wait_number(first + 2)
