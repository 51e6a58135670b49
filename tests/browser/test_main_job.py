"""The main job in a real JupyterLab: a notebook shows and scrolls a volume, both ways."""

from __future__ import annotations

import pytest

from blustream_widget.testing.waiting import wait_until

# What is allowed so that the first is used; WebRTC is signalled through a socket.
TRANSPORTS = {"websocket": "websocket", "webrtc": "websocket,webrtc", "comm": "comm"}
# All text of an element, through shadow roots, style sheets left out.
_TEXT = """(host) => {
  const text = (root) => [...root.childNodes].map((node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.tagName === 'STYLE') return '';
    return (node.shadowRoot ? text(node.shadowRoot) : '') + text(node);
  }).join(' ');
  return text(host.shadowRoot ?? host);
}"""
BUSY = {
    "sleep": "import time; time.sleep(20)",
    "python loop": "import time; end = time.time() + 20\nwhile time.time() < end: pass",
    "GIL held": "import time; end = time.time() + 20\nwhile time.time() < end: sum(range(10**8))",
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_transport_shows_and_scrolls(open_viewer, transport) -> None:
    view = open_viewer(f"transports={TRANSPORTS[transport]!r}")
    view.wait_attribute("data-transport", transport)
    # JupyterLab has the extension: it hands the connection over, and carries nothing itself.
    view.wait_attribute("data-via", "kernel" if transport == "comm" else "direct")
    view.focus()
    view.wheel(3)
    view.wait_shown(23)
    view.page.run_python("viewer.slice_idx = 70")
    view.wait_shown(70)
    wait_until(
        lambda: view.page.read_python("viewer.transport") == transport,
        timeout_s=10,
        what="the trait names the transport",
    )
    assert view.page.problems == []


def test_without_webcodecs_jpeg_pictures_are_shown(open_viewer) -> None:
    view = open_viewer(
        init_script="delete globalThis.VideoDecoder; delete globalThis.RTCPeerConnection"
    )
    view.focus()
    view.wheel(2)
    view.wait_shown(22)
    wait_until(
        lambda: view.page.read_python("viewer.codec") == "jpeg", timeout_s=10, what="it says jpeg"
    )


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
@pytest.mark.parametrize("busy", BUSY)
def test_the_picture_follows_the_wheel_while_the_kernel_computes(
    open_viewer, busy, transport
) -> None:
    view = open_viewer(f"transports={TRANSPORTS[transport]!r}")
    view.wait_attribute("data-transport", transport)
    view.focus()
    view.page.page.evaluate(
        """(code) => { jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code, store_history: false }); }""",
        BUSY[busy],
    )
    status = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
    wait_until(lambda: view.page.page.evaluate(status) == "busy", timeout_s=10, what="it is busy")
    for expected in range(21, 31):
        view.wheel(1)
        view.wait_shown(expected, timeout_s=10)
    assert view.page.page.evaluate(status) == "busy"


def test_a_wheel_step_fires_observers_in_python(open_viewer) -> None:
    view = open_viewer(
        "", "seen = []\nviewer.observe(lambda c: seen.append(c['new']), 'slice_idx')"
    )
    view.focus()
    view.wheel(5)
    view.wait_shown(25)
    wait_until(lambda: view.page.read_python("seen")[-1:] == [25], timeout_s=10, what="25 is seen")
    assert view.page.read_python("viewer.slice_no") == view.page.read_python(
        "viewer.info.axes[0].first + 25 * viewer.info.axes[0].step"
    )


def test_jslink_joins_a_slider_both_ways_without_the_kernel(open_viewer) -> None:
    view = open_viewer(
        "",
        "import ipywidgets\n"
        "slider = ipywidgets.IntSlider(20, 0, 95)\n"
        "ipywidgets.jslink((slider, 'value'), (viewer, 'slice_idx'))\n"
        "slider",
    )
    view.page.run_all()
    view.wait_shown(20)
    readout = view.page.page.locator(".widget-readout").first
    view.page.page.locator(".noUi-handle").first.focus()
    view.page.page.keyboard.press("ArrowRight")
    view.wait_shown(21)
    view.focus()
    view.wheel(4)
    view.wait_shown(25)
    wait_until(lambda: readout.inner_text() == "25", timeout_s=10, what="the slider follows")


def test_two_views_share_one_stream(open_viewer) -> None:
    view = open_viewer("", "viewer")
    wait_until(lambda: view.shown(1) == 20, timeout_s=20, what="the second view has a picture")
    view.focus()
    view.wheel(2)
    view.wait_shown(22)
    view.wait_shown(22, index=1)
    wait_until(
        lambda: view.page.read_python("viewer.viewers") == 1, timeout_s=10, what="one connection"
    )


def test_an_array_of_the_kernel_is_shown_and_refreshed(open_notebook) -> None:
    page = open_notebook(
        "import numpy as np\n"
        "from blustream_widget import Viewer\n"
        "array = np.full((8, 40, 40), -1000, np.int16)\n"
        "viewer = Viewer(array, window=2000, level=0, colormap='grey')\nviewer",
    )
    page.run_all()

    def middle() -> int:
        pixels = page.pixels(page.viewer())
        height, width = pixels.shape[:2]
        return int(pixels[height // 2, width // 2, 0]) if height else -1

    wait_until(lambda: 0 <= middle() < 20, timeout_s=30, what="-1000 is black")
    page.run_python("array[...] = 1000; viewer.refresh()")
    wait_until(lambda: middle() > 235, timeout_s=20, what="1000 is white")
    wait_until(
        lambda: page.read_python("viewer.info.channels[0].value_max") == 1000,
        timeout_s=10,
        what="the kernel hears the new range",
    )


def test_a_missing_and_a_damaged_file_are_one_clear_error(open_notebook, tmp_path) -> None:
    damaged = tmp_path / "damaged.vds"
    damaged.write_bytes(b"VDS\0" + bytes(5000))
    page = open_notebook(
        "from blustream_widget import Viewer, VolumeError\n"
        "try:\n    Viewer('nowhere.vds')\nexcept VolumeError as exc:\n    print(exc)",
        f"broken = Viewer({str(damaged)!r})\nbroken",
        "print('alive')",
    )
    page.run_all()
    text = page.outputs()[0]["text"]
    assert "nowhere.vds" in text
    host = page.viewer()
    wait_until(
        lambda: host.get_attribute("data-phase") == "failed", timeout_s=30, what="it says so"
    )
    shown = host.evaluate(_TEXT)
    assert "damaged.vds" in shown
    assert page.read_python("broken.error.code") == "volume-format"
    assert page.outputs()[-1]["text"] == "alive\n"
