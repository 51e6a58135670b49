"""A notebook's owner and a guest in another browser: let in, looks around, drives, is shown out."""

from __future__ import annotations

from blustream_widget.testing.waiting import wait_until

TIMEOUT_MS = 30_000
_PASTE = """(picture, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const how = { clipboardData, bubbles: true, composed: true, cancelable: true };
  picture.dispatchEvent(new ClipboardEvent('paste', how));
}"""


def test_a_guest_is_let_in_asks_drives_talks_and_is_shown_out(open_viewer, visit) -> None:
    view = open_viewer()
    owner = view.page.page
    owner.set_default_timeout(TIMEOUT_MS)
    wait_until(
        lambda: view.page.read_python("bool(viewer._guest_page)"),
        timeout_s=30,
        what="the kernel knows where guests find the view",
    )
    link = view.page.read_python("viewer.share(expires='30m', max_viewers=1).url")
    assert "/blustream/guest#" in link
    guest = visit(link)
    guest.join("Mei <b>Tan</b>")
    guest.wait_shown(20)
    assert link.split("#")[1] not in guest.page.url
    _page_keeps_clear_of_a_notch(guest)
    _guest_looks_around(guest, view)
    _guest_looks_and_asks(guest)
    _owner_allows(owner)
    _guest_drives(guest)
    view.wait_shown(21)
    _they_talk(guest, owner)
    _pointer_is_seen(guest, owner)
    view.page.run_python("viewer.people[-1].remove()")
    _guest_is_out(guest, link)
    wait_until(
        lambda: "removed" in view.page.read_python("[r.what for r in viewer.audit]"),
        timeout_s=30,
        what="the record says who was shown out",
    )
    assert guest.problems == []
    assert view.page.problems == []


def _page_keeps_clear_of_a_notch(guest) -> None:
    """The viewer ends above the bar by which a phone is swiped home, and beside its notch."""
    devtools = guest.context.new_cdp_session(guest.page)
    size = guest.page.viewport_size
    assert size is not None
    edges = {"top": 0, "left": 47, "bottom": 34, "right": 0}
    inside = {"x": 47, "y": 0, "width": size["width"] - 47, "height": size["height"] - 34}
    for insets, box in ((edges, inside), ({}, {"x": 0, "y": 0, **size})):
        devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
        wait_until(
            lambda box=box: guest.page.locator("blustream-viewer").bounding_box() == box,
            timeout_s=10,
            what=f"the viewer lies at {box}",
        )
    devtools.detach()


def _guest_looks_around(guest, view) -> None:
    """An own view moves by their keys; the owner's stays, and is one key away."""
    guest.page.get_by_role("button", name="Look around").click()
    guest.page.get_by_role("button", name="Follow again").wait_for()
    guest.page.keyboard.press("ArrowDown")
    guest.wait_shown(21)
    assert view.page.read_python("viewer.slice_idx") == 20
    wait_until(
        lambda: view.page.read_python("[p.looks_around for p in viewer.people]") == [False, True],
        timeout_s=30,
        what="the owner hears who looks around",
    )
    # What the owner copies, the guest pastes; then back, with one key.
    guest.page.get_by_role("application").evaluate(
        _PASTE, view.page.read_python("viewer.view_link()")
    )
    guest.wait_shown(20)
    guest.page.keyboard.press("Escape")
    guest.page.get_by_role("button", name="Look around").wait_for()
    guest.wait_shown(20)


def _guest_looks_and_asks(guest) -> None:
    """Keys change nothing for who may only look."""
    guest.page.get_by_role("application").focus()
    guest.page.keyboard.press("ArrowDown")
    guest.page.get_by_role("button", name="People: 2 here").click()
    guest.page.get_by_role("button", name="Ask to drive").click()
    guest.page.get_by_role("button", name="Ask no more").wait_for()
    assert guest.shown() == 20


def _owner_allows(owner) -> None:
    owner.get_by_role("button", name="People: 2 here, somebody asks to drive").click()
    owner.get_by_text("Mei <b>Tan</b>").first.wait_for()
    owner.get_by_role("button", name="Allow").click()
    owner.get_by_role("button", name="Take back").wait_for()
    owner.get_by_role("dialog").get_by_role("button", name="Done").click()


def _guest_drives(guest) -> None:
    guest.page.get_by_role("button", name="Give back control").wait_for()
    guest.page.keyboard.press("Escape")
    guest.page.get_by_role("application").focus()
    guest.page.keyboard.press("ArrowDown")
    guest.wait_shown(21)


def _guest_is_out(guest, link: str) -> None:
    """Neither what they had nor the link lets them in again."""
    guest.page.get_by_role("heading", name="Your visit has ended").wait_for()
    guest.page.goto(link)
    guest.join("Somebody else")
    guest.page.get_by_role("heading", name="No more people are let in").wait_for()


def _they_talk(guest, owner) -> None:
    guest.page.get_by_role("button", name="Side panel", exact=True).click()
    guest.page.get_by_label("Say something to everybody here").fill("<i>here</i>")
    guest.page.keyboard.press("Enter")
    owner.get_by_role("button", name="Side panel", exact=True).click()
    owner.get_by_role("log").get_by_text("<i>here</i>").wait_for()


def _pointer_is_seen(guest, owner) -> None:
    box = guest.page.get_by_role("application").bounding_box()
    assert box is not None
    guest.page.mouse.move(box["x"] + 200, box["y"] + 150)
    guest.page.mouse.move(box["x"] + 220, box["y"] + 170)
    pointer = owner.locator("[part=person-pointer]")
    pointer.get_by_text("Mei <b>Tan</b>", exact=True).wait_for()
    # A line that is only begun is seen by the others, until it is given up.
    guest.page.get_by_role("application").focus()
    guest.page.keyboard.press("Shift+L")
    guest.page.mouse.click(box["x"] + 220, box["y"] + 170)
    guest.page.mouse.move(box["x"] + 420, box["y"] + 300, steps=3)
    pointer.get_by_text("Mei <b>Tan</b> draws a line", exact=True).wait_for()
    guest.page.keyboard.press("Escape")
    pointer.get_by_text("Mei <b>Tan</b>", exact=True).wait_for()
