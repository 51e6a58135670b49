"""Annotations by hand in a notebook: Python has them, and what Python does is seen in the page."""

from __future__ import annotations

from blustream_widget.testing.waiting import wait_until


def test_what_is_drawn_in_the_page_is_in_python_and_back(open_viewer) -> None:
    view = open_viewer()
    page = view.page.page
    box = view.host.locator("[part=view]").bounding_box()
    assert box is not None
    view.focus()
    page.keyboard.press("m")
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 220, box["y"] + 160, steps=5)
    page.mouse.up()

    def in_python(expression: str) -> object:
        return view.page.read_python(expression)

    wait_until(
        lambda: in_python("len(viewer.annotations)") == 1, timeout_s=15, what="one annotation"
    )
    assert in_python("viewer.annotations[0].kind") == "distance"
    page.keyboard.press("]")
    row = view.host.locator("[role=option]")
    row.wait_for()
    # Both sides measure the same.
    value, unit = in_python("list(next(iter(viewer.annotations[0].quantities.values())))")
    shown = row.locator(".value").inner_text().replace("\u202f", "").split("\u00a0")
    assert abs(float(shown[0]) - value) <= 0.005 * max(value, 1)
    assert shown[1:] in ([unit], [])
    view.page.run_python("viewer.annotations[0].label = '<i>Throw</i>'")
    row.get_by_text("<i>Throw</i>").wait_for()
    # One author: Python takes back what the hand did, and the page what Python did.
    page.mouse.click(box["x"] + 30, box["y"] + 60)
    page.keyboard.press("Control+z")
    row.get_by_text("Distance").wait_for()
    view.page.run_python("viewer.undo()")
    row.wait_for(state="detached")
    assert view.page.problems == []
