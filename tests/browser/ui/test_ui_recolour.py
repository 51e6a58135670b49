"""Window, level and colours act on the picture that is there, until the true one comes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import numpy.typing as npt
import pytest

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

_SHOWN = """() => {
  const pane = document.querySelector('#cell > div').firstElementChild.shadowRoot
    .querySelector('blustream-slice-pane').shadowRoot;
  return !pane.querySelector('.recoloured').hidden;
}"""
_HIDE_LABELS = """() => {
  const pane = document.querySelector('#cell > div').firstElementChild.shadowRoot
    .querySelector('blustream-slice-pane').shadowRoot;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('.view > :not(.picture), .ring { display: none !important }');
  pane.adoptedStyleSheets.push(sheet);
}"""
_DEVIATION = """({ window, level, colormap, reverse }) => {
  const to = { window, level, colormap, reverse };
  const [a, b] = ['software', 'webgl'].map((way) => dev.recoloured(way, to));
  if (!a || !b) return null;
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}"""


def pixels(viewer: DevPage) -> npt.NDArray[np.int16]:
    """What the pane shows, shape (rows, columns, 3)."""
    with av.open(io.BytesIO(viewer.view.screenshot())) as container:
        frame: Any = next(container.decode(video=0))
        return frame.to_ndarray(format="rgb24").astype(np.int16)


def apart(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16]) -> float:
    return float(np.abs(a - b).mean())


def held(open_viewer: OpenViewer, query: str, **more: Any) -> DevPage:
    """A viewer with one picture, whose server is silent from then on."""
    viewer = open_viewer(f"{query}&delivery=hand", **more)
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    viewer.page.evaluate(_HIDE_LABELS)
    return viewer


@pytest.mark.parametrize(
    ("volume", "dx", "dy", "unknown"),
    [("seismic", -60, 0, 0.15), ("seismic", 120, 0, 0.5), ("medical", -7, 1, 0.3)],
)
def test_the_pixels_follow_a_window_drag_before_the_server_answers(
    open_viewer: OpenViewer, volume: str, dx: int, dy: int, unknown: float
) -> None:
    viewer = held(open_viewer, f"volume={volume}&latency=0", width=480, height=400)
    before = pixels(viewer)
    viewer.right_drag(dx, dy)
    followed = pixels(viewer)
    assert viewer.page.evaluate(_SHOWN)
    viewer.page.evaluate("dev.session.deliver()")
    assert not viewer.page.evaluate(_SHOWN)
    true = pixels(viewer)
    assert apart(before, true) > 2
    # What the old window clipped cannot be known; all else is the true picture already.
    assert apart(followed, true) < unknown * apart(before, true)


def test_colour_map_and_reverse_act_at_once_and_leave_the_surround_alone(
    open_viewer: OpenViewer,
) -> None:
    viewer = held(open_viewer, "volume=medical&latency=200", width=480, height=400)
    viewer.page.evaluate("dev.session.patch({ colormap: 'viridis', reverse: true })")
    followed = pixels(viewer)
    viewer.page.evaluate("dev.session.deliver()")
    true = pixels(viewer)
    assert apart(followed, true) < 4
    assert (true[5, 5] == 0).all()
    assert (followed[5, 5] == 0).all()
    viewer.page.evaluate("dev.session.patch({ colormap: 'labels' })")
    assert not viewer.page.evaluate(_SHOWN)


def test_a_picture_that_comes_soon_is_not_recoloured_on_the_processor_one_that_does_not_is(
    open_viewer: OpenViewer,
) -> None:
    viewer = held(open_viewer, "volume=seismic&latency=20", width=400, height=300)
    # In one go: on a busy machine a picture that would come soon is late at the next question.
    soon = viewer.page.evaluate(
        f"() => {{ dev.session.patch({{ window: 9000 }}); return ({_SHOWN})(); }}"
    )
    viewer.page.wait_for_function(f"({_SHOWN})()")
    assert not soon or viewer.page.evaluate("!!dev.webglRecolourer()")


@pytest.mark.parametrize("colormap", ["grey", "seismic", "turbo"])
def test_graphics_and_central_processor_give_the_same_pixels(
    open_viewer: OpenViewer, colormap: str
) -> None:
    viewer = open_viewer("volume=generic", width=320, height=300)
    state = viewer.state
    look = {
        "window": state["window"] * 0.7,
        "level": state["level"],
        "colormap": colormap,
        "reverse": True,
    }
    deviation = viewer.page.evaluate(_DEVIATION, look)
    if deviation is None:
        pytest.skip("this Chromium has no WebGL 2")
    assert deviation <= 2
