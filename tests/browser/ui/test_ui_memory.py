"""Using a view leaves nothing behind on the page: no listeners, no elements, no growing heap."""

from __future__ import annotations

import statistics

from playwright.sync_api import CDPSession

_ROUNDS = 9
_KEYS = (
    "ArrowDown",
    "PageDown",
    "+",
    "x",
    "ArrowRight",
    "v",
    "w",
    "ArrowRight",
    "v",
    "n",
    "?",
    "Escape",
    "ContextMenu",
    "Escape",
    "]",
    "]",
    "z",
    "z",
    "2",
    "1",
    "Shift+0",
    "Home",
)
# Frames come in animation frames: two of them after the last input nothing is under way.
_SETTLED = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() =>
  setTimeout(done, 100))))"""


def _use(view) -> None:
    """Do once what a hand does."""
    page = view.page
    x, y = view.centre
    view.click()
    for _ in range(10):
        page.mouse.wheel(0, 120)
    for key in _KEYS:
        page.keyboard.press(key)
    view.right_drag(40, 20)
    for k in range(10):
        page.mouse.move(x + 5 * k, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    page.set_viewport_size({"width": 700, "height": 480})
    page.set_viewport_size({"width": 640, "height": 440})
    page.evaluate(_SETTLED)


def _held(cdp: CDPSession) -> dict[str, float]:
    """What the page holds after a collection of garbage."""
    for _ in range(2):
        cdp.send("HeapProfiler.collectGarbage")
    metrics = cdp.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


def test_interactions_leave_no_listeners_no_elements_and_no_heap(open_viewer) -> None:
    view = open_viewer("volume=seismic")
    cdp = view.page.context.new_cdp_session(view.page)
    cdp.send("Performance.enable")
    for _ in range(6):  # what is made when it is first needed, and compiled when it is often used
        _use(view)
    held = [_held(cdp)]
    for _ in range(_ROUNDS):
        _use(view)
        held.append(_held(cdp))
    first, last = held[0], held[-1]
    report = [
        {name: look[name] for name in ("JSEventListeners", "Nodes", "JSHeapUsedSize")}
        for look in held
    ]
    # One leaked with every round would be `_ROUNDS` more.
    assert last["JSEventListeners"] - first["JSEventListeners"] < _ROUNDS, report
    assert last["Nodes"] - first["Nodes"] < _ROUNDS, report
    third = len(held) // 3
    sizes = [look["JSHeapUsedSize"] for look in held]
    grown = statistics.median(sizes[-third:]) - statistics.median(sizes[:third])
    assert grown < 300_000, report
