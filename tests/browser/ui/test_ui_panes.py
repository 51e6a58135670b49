"""Several panes on a page of their own: keys, room, and what people hear."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

_CUT = """() => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      const { left, right, width } = el.getBoundingClientRect();
      const isControl = el.matches('button, input, select, [role=slider]');
      if (isControl && width > 0 && (left < -0.5 || right > innerWidth + 0.5)) {
        found.push(el.outerHTML.slice(0, 90));
      }
    }
  };
  visit(document.querySelector('#cell'));
  return found;
}"""


def lay_out(viewer: DevPage, layout: str) -> None:
    viewer.page.evaluate("(layout) => dev.session.patch({ layout })", layout)
    viewer.wait(f"dev.session.state.layout === '{layout}'")


def shown_views(viewer: DevPage) -> int:
    return sum(view.is_visible() for view in viewer.page.locator(".view").all())


def test_a_narrow_viewer_shows_one_pane_and_a_switch(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=320, height=480)
    lay_out(viewer, "orthogonal")
    switch = viewer.page.get_by_role("radiogroup", name="Pane")
    switch.get_by_role("radio", name="Pane 3").click()
    viewer.wait("dev.session.state.active === 2 && dev.session.state.axis === 2")
    viewer.wait("dev.session.state.pane_sizes.filter(([width]) => width > 0).length === 1")
    assert shown_views(viewer) == 1
    assert viewer.page.evaluate(_CUT) == []


def test_panes_by_the_keyboard_alone(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=1000, height=560)
    viewer.view.focus()
    keyboard = viewer.page.keyboard
    keyboard.press("l")
    viewer.wait("dev.session.state.layout === 'orthogonal'")
    viewer.page.locator(".view").nth(2).wait_for()
    keyboard.press("Tab")  # the next pane, which is in use then
    while viewer.state["active"] != 1:
        keyboard.press("Tab")
    before = viewer.state["slice_idx"]
    keyboard.press("ArrowDown")
    viewer.wait(f"dev.session.state.slice_idx[1] === {before[1] + 1}")
    keyboard.press("z")
    viewer.wait("dev.session.state.maximised")
    assert shown_views(viewer) == 1
    keyboard.press("Escape")
    viewer.wait("!dev.session.state.maximised")
    gutter = viewer.page.get_by_role("separator", name="Width of the columns")
    gutter.focus()
    keyboard.press("ArrowRight")
    viewer.wait("dev.session.state.columns[0] === 0.52")
    assert viewer.leaked == [] or set(viewer.leaked) <= {"Tab"}
