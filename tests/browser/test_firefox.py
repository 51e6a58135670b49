"""The system's Firefox shows a notebook's view: pictures, a scrub, and exact pixels at rest."""

from __future__ import annotations

import asyncio
import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from tests.browser.firefox import FirefoxPage, find_firefox, firefox_page

from blustream_widget.render.colormaps import rgb_table
from blustream_widget.testing import notebook_page
from blustream_widget.testing.lab import JupyterLab

_ARRAY = "np.random.default_rng(3).integers(0, 1024, (4, 190, 130)).astype(np.int16)"
# Value v is entry v of the colour map's 1024.
_CELL = f"""
import numpy as np
from blustream_widget import Viewer
viewer = Viewer({_ARRAY}, axis=0, slice_idx=1, kind="generic", window=1024, level=511.5,
                colormap="seismic", interpolate=False, height=480)
viewer
"""
_IDLE = f"() => Boolean(globalThis.jupyterapp && {notebook_page._IDLE})"
_LIVE = "() => document.querySelector('[data-phase=\"live\"]')?.dataset"
# Where the view lies and the size of its picture, once the true frame of a slice is there.
_EXACT = """(slice) => {
  const all = [];
  const collect = (root) => {
    for (const el of root.querySelectorAll('*')) {
      all.push(el);
      if (el.shadowRoot) collect(el.shadowRoot);
    }
  };
  const host = document.querySelector('[data-phase]');
  collect(host.shadowRoot ?? host);
  const words = all.find((el) => el.getAttribute('part') === 'state')?.textContent ?? '';
  if (host.dataset.sliceIdx !== String(slice) || !words.includes('Exact')) return null;
  const box = all.find((el) => el.classList.contains('view')).getBoundingClientRect();
  const { width, height } = all.find((el) => el.matches('.picture > canvas'));
  return [Math.round(box.x), Math.round(box.y), width, height];
}"""
_DECODES = """async () =>
  (await VideoDecoder.isConfigSupported({ codec: 'avc1.42E01F' })).supported"""
_RUN = """async (code) => {
  const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session;
  await kernel.requestExecute({ code }).done;
}"""


async def _show(executable: str, home: Path, address: str) -> None:
    async with firefox_page(executable, home) as page:
        await page.goto(address)
        await page.wait_for(_IDLE, timeout_s=60)
        await page.run(notebook_page._RUN_ALL)
        told = await page.wait_for(_LIVE, timeout_s=60)
        # H.264 with FFmpeg's library beside it, otherwise JPEG; whichever, it says why not more.
        assert told["transport"] in ("websocket", "webrtc")
        reason = told["reason"]
        assert ("cannot decode H.264" not in reason) == await page.run(_DECODES)
        assert told["transport"] == "webrtc" or "H.264" in reason, reason
        await _wait_exact(page, 1)
        await page.run(_RUN, "viewer.slice_idx = 3")
        await _wait_exact(page, 3)
        await page.run(_RUN, "for n in range(41): viewer.slice_idx = n % 4")
        await _wait_exact(page, 0)
        assert [words for words in page.problems if "blustream" in words.lower()] == []


async def _wait_exact(page: FirefoxPage, slice_idx: int) -> None:
    """Wait until the window shows this slice in the colours of the map, all pixels of it."""
    wrong = 1.0
    for _ in range(50):
        box = await page.wait_for(_EXACT, slice_idx)
        wrong = await _wrong(page, slice_idx, box)
        if wrong == 0:
            return
        await asyncio.sleep(0.2)  # the words may be those of the picture before
    pytest.fail(f"{wrong:.2%} of the pixels of slice {slice_idx} are wrong")


async def _wrong(page: FirefoxPage, slice_idx: int, box: list[int]) -> float:
    """Share of the pixels in the middle that have not the colour that the map gives the voxel."""
    with av.open(io.BytesIO(await page.screenshot())) as container:
        display = next(container.decode(video=0)).to_ndarray(format="rgb24")
    x, y, width, height = box
    values = np.random.default_rng(3).integers(0, 1024, (4, 190, 130))[slice_idx].T
    scale = min(width / 190, height / 130)
    rows, columns = (
        np.floor((np.arange(n) + 0.5 - n / 2) / scale + voxels / 2).astype(int)
        for n, voxels in ((height, 130), (width, 190))
    )
    # Without what lies over the picture near its edges.
    top, bottom, left, right = height // 4, height * 3 // 4, width * 2 // 5, width * 3 // 5
    wanted = rgb_table("seismic")[values[np.ix_(rows[top:bottom], columns[left:right])]]
    # The browser rounds the view's place to whole pixels.
    seen = [
        display[y + dy + top : y + dy + bottom, x + dx + left : x + dx + right]
        for dy, dx in itertools.product((-1, 0, 1), repeat=2)
    ]
    return float(min((view != wanted).any(-1).mean() for view in seen))


def test_a_notebook_in_firefox_shows_exact_pixels_and_says_how_they_come(
    lab: JupyterLab, tmp_path: Path
) -> None:
    executable = find_firefox()
    if executable is None:
        pytest.skip("there is no Firefox: scripts/system_packages.sh firefox")
    lab.write_notebook("firefox.ipynb", [_CELL])
    home = tmp_path / "profile"
    home.mkdir()
    # Playwright's loop runs in this thread while a browser of other tests is open.
    with ThreadPoolExecutor(1) as pool:
        shown = _show(executable, home, lab.notebook_url("firefox.ipynb"))
        pool.submit(asyncio.run, shown).result(timeout=150)
    lab.delete_sessions()
