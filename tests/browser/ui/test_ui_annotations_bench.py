"""How a thousand annotations move under the hand.

`pytest -m bench --log-cli-level=INFO` on this file says it.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import OpenViewer

logger = logging.getLogger(__name__)

_THOUSAND = """() => {
  let seed = 1;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const slice = dev.session.state.slice_idx[0];
  const [, columns, rows] = dev.session.info.axes.map(({ n }) => n);
  const kinds = ['distance', 'line', 'angle', 'polygon', 'polyline'];
  const count = { distance: 2, line: 2, angle: 3, polygon: 8, polyline: 24 };
  const edits = Array.from({ length: 1000 }, (_, i) => {
    const kind = kinds[i % 5];
    const [x, y] = [20 + random() * (columns - 40), 40 + random() * (rows - 80)];
    const points = Array.from({ length: count[kind] }, (_, k) => {
      const angle = (2 * Math.PI * k) / count[kind];
      return [slice, x + 12 * Math.cos(angle), y + 24 * Math.sin(angle)];
    });
    return { op: 'put', item: { id: `b${i}`, kind, points, axis: 0, label: '', text: '',
      color: '#ffd43b', width: 2, visible: true, locked: false, closed: false, group: '',
      author: '', created_ms: 0, modified_ms: 0 } };
  });
  dev.session.annotations.change(edits);
}"""
# Moves the mouse once a refresh, for 180 of them; says how often the page was shown.
_DRAG = """async ([x, y]) => {
  const view = dev.viewer.pane.view;
  const box = view.getBoundingClientRect();
  const gaps = [];
  let last = 0, work = 0;
  const move = (i) => view.dispatchEvent(new PointerEvent('pointermove', { bubbles: true,
    composed: true, pointerId: 1, pointerType: 'mouse', buttons: 1,
    clientX: box.left + x + 150 * Math.sin(i / 15),
    clientY: box.top + y + 60 * Math.sin(i / 11) }));
  const before = dev.session.annotations.messages.length;
  await new Promise((done) => {
    let i = 0;
    const step = (now) => {
      if (last) gaps.push(now - last);
      last = now;
      const from = performance.now();
      move(i);
      work += performance.now() - from;
      if (++i < 180) requestAnimationFrame(step);
      else done();
    };
    requestAnimationFrame(step);
  });
  gaps.sort((a, b) => a - b);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return { fps: 1000 / mean, p95_gap_ms: gaps[Math.floor(gaps.length * 0.95)],
    worst_gap_ms: gaps.at(-1), event_ms: work / 180,
    messages: dev.session.annotations.messages.length - before };
}"""


@pytest.mark.bench
@pytest.mark.parametrize("layout", ["single", "2x2"])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_thousand_annotations_follow_the_hand(
    open_viewer: OpenViewer, scale: int, layout: str
) -> None:
    viewer = open_viewer("delivery=hand", width=1280, height=800, device_scale_factor=scale)
    viewer.wait("dev.session.state.width_px !== 960")
    page = viewer.page
    page.evaluate("layout => dev.session.patch({ layout })", layout)
    panes = 4 if layout == "2x2" else 1
    viewer.wait(f"dev.viewer.shadowRoot.querySelector('.panes').places.length === {panes}")
    viewer.wait("dev.session.state.pane_sizes.every(([width]) => width > 0)")
    page.evaluate("dev.session.deliver()")
    page.evaluate(_THOUSAND)
    box = viewer.view.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 8, box["y"] + 60)
    found = {}
    for what in ("drag", "pan"):
        item = "dev.session.annotations.store.items.find(({ kind }) => kind === 'polygon')"
        place = page.evaluate(f"dev.viewer.pane.annotations.section.toPixel({item}.points[0])")
        if what == "drag":
            # Chosen first, so that its body is certain to be hit above all others.
            page.evaluate(f"dev.viewer.context.desk.editor.selection.pick({item}.id)")
        else:
            page.evaluate("dev.viewer.context.desk.editor.selection.clear()")
            place = {"x": 4, "y": 300}
        page.mouse.move(box["x"] + place["x"], box["y"] + place["y"])
        page.mouse.down()
        found[what] = page.evaluate(_DRAG, [place["x"], place["y"]])
        page.mouse.up()
    logger.info("device pixels %d, layout %s: %s", scale, layout, json.dumps(found))
    assert 0 < found["drag"]["messages"] <= 180
    assert viewer.state["pan"] != [0.5, 0.5]
