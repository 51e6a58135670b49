"""The picture of all panes, saved by the menu, pixel by pixel."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import OpenViewer

# How many pixels of a saved picture differ from those of the panes on the page, in a part of each
# that no label covers, and how large the picture and the page are.
_COMPARED = """async ([png, times]) => {
  const image = await createImageBitmap(await (await fetch(png)).blob());
  const brush = new OffscreenCanvas(image.width, image.height).getContext('2d');
  brush.drawImage(image, 0, 0);
  const grid = dev.viewer.shadowRoot.querySelector('.panes');
  const from = grid.getBoundingClientRect();
  const ratio = devicePixelRatio * times;
  let different = 0, seen = 0;
  for (const { pane } of grid.places) {
    const shown = pane.picture.canvas.getContext('2d');
    const box = pane.picture.canvas.getBoundingClientRect();
    const x0 = Math.round(0.25 * shown.canvas.width), y0 = Math.round(0.3 * shown.canvas.height);
    for (let i = 0; i < 24; i++) for (let j = 0; j < 24; j++) {
      const wanted = shown.getImageData(x0 + i, y0 + j, 1, 1).data;
      const left = Math.round((box.left - from.left) * ratio) + (x0 + i) * times;
      const top = Math.round((box.top - from.top) * ratio) + (y0 + j) * times;
      const block = brush.getImageData(left, top, times, times).data;
      block.forEach((value, n) => { if (value !== wanted[n % 4]) different++; });
      seen++;
    }
  }
  return { different, seen, size: [image.width, image.height],
    grid: [from.width * ratio, from.height * ratio] };
}"""


@pytest.mark.parametrize("scale", [1, 2])
def test_all_panes_are_saved_with_their_exact_pixels(open_viewer: OpenViewer, scale: int) -> None:
    viewer = open_viewer("", width=1000, height=640, device_scale_factor=scale)
    page = viewer.page
    page.evaluate("dev.session.patch({ layout: 'orthogonal', crosshair: false })")
    viewer.wait("dev.viewer.shadowRoot.querySelector('.panes').places.length === 3")
    viewer.wait("dev.session.state.pane_sizes.every(([width]) => width > 0)")
    viewer.wait("dev.session.lastFrame()?.header.revision === dev.session.state.revision")
    for name, times in (("Save all panes", 1), ("Save all panes, doubled", 2)):
        page.get_by_title("Save or copy the picture").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=name, exact=True).click()
        png = base64.b64encode(saved.value.path().read_bytes()).decode()
        found = page.evaluate(_COMPARED, [f"data:image/png;base64,{png}", times])
        assert (found["different"], found["seen"]) == (0, 3 * 24 * 24)
        assert found["size"] == pytest.approx(found["grid"], abs=1)
