"""The viewer's manners in a real notebook: keys, focus and the wheel stay where they belong."""

from __future__ import annotations

from blustream_widget.testing.waiting import wait_until

_CELLS = "jupyterapp.shell.currentWidget.content.widgets.length"
_FOCUSED = (
    "document.activeElement.closest('.jp-Cell') !== null && !document.activeElement.shadowRoot"
)


def test_keys_for_the_viewer_neither_cut_nor_add_cells(open_viewer) -> None:
    view = open_viewer("", "1 + 1", "2 + 2")
    before = view.page.page.evaluate(_CELLS)
    view.focus()
    for key in ["x", "d", "d", "a", "b", "Shift+M", "y", "m", "ArrowDown", "PageDown"]:
        view.page.page.keyboard.press(key)
    view.wait_shown(31)
    assert view.page.page.evaluate(_CELLS) == before
    assert view.page.problems == []


def test_escape_gives_the_keyboard_back_to_the_cell(open_viewer) -> None:
    view = open_viewer("", "1 + 1")
    keyboard = view.page.page.keyboard
    view.focus()
    keyboard.press("ArrowDown")
    view.wait_shown(21)
    keyboard.press("Escape")
    assert view.page.page.evaluate(_FOCUSED)
    before = view.page.page.evaluate(_CELLS)
    keyboard.press("b")
    wait_until(
        lambda: view.page.page.evaluate(_CELLS) == before + 1,
        timeout_s=10,
        what="JupyterLab adds a cell below",
    )
    assert view.shown() == 21
