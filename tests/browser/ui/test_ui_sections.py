"""Planes turned by the crosshair's handles, and a fence picked on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from conftest import DevPage, OpenViewer


def laid_out(open_viewer: OpenViewer) -> tuple[DevPage, Locator, Locator]:
    """A viewer of three planes with a crosshair, its first pane, and its map."""
    viewer = open_viewer("volume=seismic", width=1000, height=640)
    viewer.page.evaluate("dev.session.patch({ layout: 'orthogonal', crosshair: true })")
    viewer.wait("dev.session.state.panes.length === 3")
    views = viewer.page.locator(".view")
    return viewer, views.first, views.nth(2)


def sections(viewer: DevPage) -> list[dict[str, Any]]:
    return viewer.page.evaluate("dev.session.state.panes.map(({ section }) => section ?? {})")


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_handles_turn_both_other_planes_and_escape_brings_the_slices_back(open_viewer) -> None:
    viewer, _, on_map = laid_out(open_viewer)
    page, handles = viewer.page, on_map.locator(".turn")
    handles.nth(3).wait_for()
    x, y = middle(handles.first)
    page.mouse.move(x, y)
    page.mouse.down()
    page.keyboard.down("Shift")
    page.mouse.move(x - 60, y + 60, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    viewer.wait("dev.session.state.panes[0].section !== null")
    inline, crossline, time = sections(viewer)
    assert time == {}
    cosine = sum(a * b for a, b in zip(inline["right"], crossline["right"], strict=True))
    assert cosine == pytest.approx(0, abs=1e-9)
    assert inline["down"] == [0, 0, 1]
    handles.first.focus()
    page.keyboard.press("Escape")
    viewer.wait("dev.session.state.panes.every(({ section }) => section === null)")


def test_a_fence_is_picked_on_the_map_unrolled_dragged_and_put_away(open_viewer) -> None:
    viewer, section, on_map = laid_out(open_viewer)
    page = viewer.page
    on_map.focus()
    page.keyboard.press("4")
    on_map.locator(".fencing").wait_for()
    x, y = middle(on_map)
    for n, (dx, dy) in enumerate(((0, -60), (20, 50))):
        page.mouse.click(x + dx, y + dy)
        on_map.locator("circle").nth(n).wait_for()
    page.keyboard.press("Enter")
    viewer.wait("dev.session.state.panes[0].section?.kind === 'fence'")
    first, second = sections(viewer)[0]["points"]
    section.locator(".fence line.line").nth(1).wait_for(state="attached")
    x, y = middle(on_map.locator(".node").nth(1))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 30, steps=3)
    page.mouse.up()
    viewer.wait(f"dev.session.state.panes[0].section.points[1][0] < {second[0]}")
    assert sections(viewer)[0]["points"][0] == first
    section.locator(".back").click()
    viewer.wait("dev.session.state.panes[0].section === null")
    on_map.locator(".node").first.wait_for(state="detached")
