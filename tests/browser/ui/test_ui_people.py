"""People, chat and driving, as a guest and an owner see them: on a phone, in a cell, on a desk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from conftest import DevPage, OpenViewer

# `you` and others, as a server would tell of them; the owner drives where `drives` says so.
_PEOPLE = """([you, role, n, asks, drives]) => {
  const of = (id, name, role, more = {}) => ({ id, name, role, color: '#0b7d71', since_ms: 0,
    transport: 'websocket', latency_ms: 0, drives: false, asks: false, is_lent: false,
    looks_around: false, in_call: false, muted: false, recorded: false, ...more });
  const names = ['Mei Tan', 'محمد بن سلمان', 'Müller-Lüdenscheidt, Karl-Friedrich Mari'];
  const guest = (i) => of(`g${i}`, i < 3 ? names[i] : `Guest ${i}`, 'viewer',
    { asks: asks && i === 2 });
  const people = [of('owner', 'Jonas', 'owner', { drives }),
    ...Array.from({ length: n - 1 }, (_, i) => guest(i))];
  people.find(({ id }) => id === you).role = role;
  dev.session.role = role;
  dev.session.people.received({ type: 0x92, you, links: [], may_call: true, more: 0, people });
  dev.session.patch({});
}"""
_CHAT = """(n) => {
  const line = (_, i) => ({ n: i + 1, who: 'g1', name: 'محمد', text: 'x'.repeat(90), at_ms: 1 });
  dev.session.people.received({ type: 0x98, lines: Array.from({ length: n }, line) });
}"""
# What somebody can press or read, in all shadow roots.
_PARTS = """(selector) => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      if (el.matches(selector) && el.getBoundingClientRect().width) found.push(el);
    }
  };
  visit(document.querySelector('#cell'));
  return found.map((el) => {
    const { left, right, top, bottom } = (el.closest('label') ?? el).getBoundingClientRect();
    return { what: el.outerHTML.slice(0, 90), left, right, width: right - left,
      height: bottom - top, hidden: el.scrollWidth - el.clientWidth,
      font: parseFloat(getComputedStyle(el).fontSize) };
  });
}"""
_TOOLBAR = """() => {
  const row = document.querySelector('blustream-viewer').shadowRoot
    .querySelector('blustream-toolbar').shadowRoot.querySelector('.row');
  const seen = ['chat', 'share'].filter((name) => row.querySelector(`[part=${name}]`).offsetParent);
  return [row.scrollWidth - row.clientWidth, seen.length];
}"""


def _here(
    viewer: DevPage,
    you: str = "g0",
    role: str = "viewer",
    *,
    n: int = 3,
    asks: bool = False,
    drives: bool = True,
) -> None:
    viewer.page.evaluate(_PEOPLE, [you, role, n, asks, drives])


def _fits(viewer: DevPage, width: int) -> None:
    """Nothing that fingers press is small or beside the screen, or makes a phone zoom the page."""
    controls = viewer.page.evaluate(_PARTS, "button, select, input")
    outside = [c["what"] for c in controls if c["left"] < -0.5 or c["right"] > width + 0.5]
    small = [c["what"] for c in controls if c["width"] < 43.5 or c["height"] < 43.5]
    zoomed = [c["what"] for c in controls if not c["what"].startswith("<button") and c["font"] < 16]
    assert (outside, small, zoomed) == ([], [], [])


def test_a_phone_has_the_chat_in_its_bar_with_what_is_new(open_viewer: OpenViewer) -> None:
    width = 320
    viewer = open_viewer("volume=seismic", width=width, height=640, touch=True)
    _here(viewer)
    viewer.page.evaluate(_CHAT, 12)
    viewer.page.get_by_role("button", name="Chat, 12 new").tap()
    chat = viewer.page.get_by_role("dialog", name="Chat")
    field = chat.get_by_role("textbox")
    field.wait_for()
    viewer.page.get_by_role("button", name="Chat", exact=True).wait_for()  # it was read
    _fits(viewer, width)
    log = chat.get_by_role("log")
    assert log.evaluate("(el) => el.scrollHeight - el.clientHeight - el.scrollTop") < 1
    # The picture above stays at hand, and the chat open.
    viewer.page.touchscreen.tap(width / 2, 150)
    assert field.is_visible()
    chat.get_by_role("button", name="Close the chat").tap()
    field.wait_for(state="detached")


@pytest.mark.parametrize("size", [(700, 440), (390, 640), (844, 390)])
def test_who_talks_reaches_the_call_while_the_chat_is_open(
    open_viewer: OpenViewer, size: tuple[int, int]
) -> None:
    viewer = open_viewer("", width=size[0], height=size[1], touch=size[0] != 700)
    _here(viewer, "owner", "owner", n=4, asks=True)
    viewer.page.evaluate("""() => {
      const member = (person) => ({ seat: person, person, muted: false, camera: false });
      Object.assign(dev.session.call, { phase: 'in', members: ['owner', 'g0'].map(member),
        revision: 1 });
      dev.session.patch({});
      dev.viewer.context.set({ open: 'chat' });
    }""")
    viewer.page.get_by_role("log", name="Chat").wait_for()
    for name in ("Camera on", "Leave the call"):
        viewer.page.get_by_role("button", name=name).click(trial=True, timeout=5000)
    viewer.page.get_by_role("slider", name="Inline").click(trial=True, timeout=5000)
    if size[0] > 560:  # on a phone the chat lies over it
        viewer.page.get_by_role("button", name="Allow").click(trial=True, timeout=5000)
    viewer.page.evaluate("dev.viewer.context.set({ open: '' })")
    viewer.page.evaluate("dev.session.setStatus({ phase: 'reconnecting', retryInMs: 60000 })")
    viewer.page.get_by_role("button", name="Try now").click(trial=True, timeout=5000)


@pytest.mark.parametrize("touch", [False, True])
def test_chat_and_people_have_room_in_the_bar_at_any_width(
    open_viewer: OpenViewer, touch: bool
) -> None:
    viewer = open_viewer("volume=seismic", width=1280, touch=touch)
    _here(viewer, "owner", "owner", n=30, asks=True)
    viewer.page.evaluate(_CHAT, 12)
    widths = (320, 390, 560, 562, 600, 652, 682, 700, 722, 742, 792, 844, 862, 932, 1002, 1162)
    seen = {}
    for width in widths:
        viewer.page.set_viewport_size({"width": width, "height": 440})
        seen[width] = viewer.page.evaluate(_TOOLBAR)
    assert {width: bar for width, bar in seen.items() if bar[0] > 0 or bar[1] < 2} == {}


@pytest.mark.parametrize(("menu", "width"), [("tools", 390), ("more", 320)])
def test_no_word_of_a_phones_menus_is_cut(open_viewer: OpenViewer, width: int, menu: str) -> None:
    viewer = open_viewer("volume=seismic", width=width, height=640, touch=True)
    _here(viewer)
    # The menu of the dock opens after one that hung at the right edge.
    viewer.page.get_by_role("button", name="More").tap()
    viewer.page.get_by_role("menu").wait_for()
    viewer.page.keyboard.press("Escape")
    viewer.page.locator(f"[data-opens={menu}]:visible").first.tap()
    viewer.page.get_by_role("menuitem" if menu == "more" else "menuitemradio").first.wait_for()
    words = viewer.page.evaluate(_PARTS, "[role=menu] .grow")
    assert len(words) > 10
    assert [w["what"] for w in words if w["hidden"] > 0 or w["right"] > width - 4] == []


def test_an_owner_finds_thirty_people_on_a_phone(open_viewer: OpenViewer) -> None:
    width = 320
    viewer = open_viewer("volume=seismic", width=width, height=844, touch=True)
    _here(viewer, "owner", "owner", n=30, asks=True)
    viewer.page.get_by_role("button", name="Allow").wait_for()
    _fits(viewer, width)
    viewer.page.get_by_role("button", name="People: 30 here, somebody asks to drive").tap()
    viewer.page.get_by_role("listitem").nth(29).wait_for()
    _fits(viewer, width)
    names = viewer.page.evaluate(_PARTS, "[part=person] .cut")
    assert len(names) == 30
    assert min(name["width"] for name in names) > 90


def test_nobody_follows_where_nobody_drives(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=800)
    _here(viewer, "owner", "owner", drives=False)
    viewer.page.get_by_role("button", name="People: 3 here").click()
    owner = viewer.page.get_by_role("listitem").first
    assert " ".join(owner.inner_text().split()) == "Jonas you Owner"
    _here(viewer, "owner", "owner", drives=True)
    viewer.page.get_by_text("follows").first.wait_for()


def test_who_follows_is_told_why_a_hand_moves_nothing(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=390, height=640, touch=True)
    _here(viewer)
    page = viewer.page
    before = viewer.slice_idx
    page.get_by_role("button", name="Next slice").tap()
    told = "You follow Jonas. Look around to change the view on your own."
    page.get_by_role("application").get_by_text(told).wait_for()
    page.get_by_role("button", name="Play: Play slices").tap()
    # It does not pretend to play.
    page.wait_for_function("!dev.viewer.context.cine.playing")
    page.get_by_role("button", name="Play: Play slices").wait_for()
    assert viewer.slice_idx == before
    # A measurement is a drawing; why its tools are grey is said above them.
    page.get_by_role("button", name="Measure: Measure and annotate").tap()
    page.get_by_text("You may look, not draw").wait_for()


def test_a_request_is_answered_over_the_picture_and_a_loan_given_back(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("volume=seismic", width=800)
    page = viewer.page
    page.evaluate("""() => { window.asked = [];
      for (const act of ['manage', 'control']) {
        dev.session.people[act] = (...what) => asked.push(what.join(' '));
      } }""")
    _here(viewer, "owner", "owner", n=4, asks=True)
    bar = page.get_by_role("region", name="Following")
    bar.get_by_text("Müller-Lüdenscheidt").wait_for()
    bar.get_by_role("button", name="Not now").click()
    bar.get_by_role("button", name="Allow").click()
    _here(viewer, "g0")
    bar.get_by_text("You follow Jonas").wait_for()
    page.evaluate("""() => { const { people } = dev.session;
      people.you.is_lent = true; people.you.role = 'editor'; dev.session.role = 'editor';
      dev.session.people.received({ type: 0x92, you: 'g0', links: [], may_call: true, more: 0,
        people: people.all.map((one) => ({ ...one })) }); }""")
    bar.get_by_text("You drive").wait_for()
    bar.get_by_role("button", name="Give back").click()
    assert page.evaluate("asked") == ["g2 refuse", "g2 grant", "give-back"]


def test_a_pointers_name_is_read_at_every_edge_of_every_pane(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=900, height=600)
    _here(viewer, n=4)
    viewer.page.evaluate("dev.session.patch({ layout: 'orthogonal' })")
    viewer.page.get_by_role("application").nth(2).wait_for()
    shape = viewer.page.evaluate("dev.session.info.axes.map(({ n }) => n - 1)")
    for share in (0.02, 0.98):
        voxel = [n * share for n in shape]
        viewer.page.evaluate(
            "(voxel) => dev.session.people.received("
            "{ type: 0x99, places: [{ who: 'g2', voxel, drawing: null }] })",
            voxel,
        )
        viewer.page.locator("[part=person-pointer]").nth(2).wait_for(state="attached")
        cut = viewer.page.evaluate("""() => {
          const found = [];
          const visit = (root) => { for (const el of root.querySelectorAll('*')) {
            if (el.shadowRoot) visit(el.shadowRoot);
            if (!el.matches('[part=person-pointer] b')) continue;
            const name = el.getBoundingClientRect();
            const pane = el.closest('.view').getBoundingClientRect();
            found.push(Math.round(Math.max(pane.left - name.left, name.right - pane.right,
              pane.top - name.top, name.bottom - pane.bottom)));
          } };
          visit(document.querySelector('#cell'));
          return found;
        }""")
        assert len(cut) == 3
        assert max(cut) <= 0


def test_behind_the_help_no_key_reaches_anything(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=800)
    page = viewer.page
    _here(viewer)
    page.get_by_role("button", name="Look around").wait_for()
    page.get_by_role("application").click()
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    reached = page.evaluate("""() => {
      const { shadowRoot } = dev.viewer;
      const isReached = (el) => el.shadowRoot && !el.closest('[inert]') &&
        el.shadowRoot.querySelector('button, input, select, [tabindex]');
      return [...shadowRoot.querySelectorAll('*')].filter(isReached).map((el) => el.localName);
    }""")
    assert reached == ["blustream-help"]


def test_what_floats_keeps_clear_of_a_notch_where_the_window_is_filled(
    open_viewer: OpenViewer,
) -> None:
    width, height = 844, 390
    viewer = open_viewer("volume=seismic", width=width, height=height, touch=True)
    page = viewer.page
    _here(viewer)
    devtools = page.context.new_cdp_session(page)
    insets = {"top": 0, "left": 47, "bottom": 34, "right": 47}
    devtools.send("Emulation.setSafeAreaInsetsOverride", {"insets": insets})
    page.evaluate("dev.viewer.context.ask('maximise')")
    page.wait_for_function("dev.viewer.hasAttribute('filled')")
    for name in ("window", "more", "chat", "share"):
        page.evaluate("(open) => dev.viewer.context.set({ open })", name)
        page.wait_for_function("dev.viewer.shadowRoot.querySelector('.floating')?.offsetWidth > 0")
        box = page.evaluate("""() => {
          const box = dev.viewer.shadowRoot.querySelector('.floating').getBoundingClientRect();
          return [box.left, box.right, box.bottom]; }""")
        assert box[0] >= 47, (name, box)
        assert box[1] <= width - 47, (name, box)
        assert box[2] <= height - 34, (name, box)
    devtools.detach()


def _middle(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_who_asks_to_drive_does_not_take_the_place_of_the_way_back(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("volume=seismic", width=800)
    page = viewer.page
    page.evaluate("""() => { window.asked = [];
      dev.session.people.manage = (...what) => asked.push(what.join(' '));
      Object.defineProperty(dev.session.ownView, 'isOn', { get: () => true, configurable: true });
      dev.session.ownView.set = (on) => asked.push(`own view ${on}`); }""")
    _here(viewer, "owner", "owner", n=4)
    bar = page.get_by_role("region", name="Following")
    back = bar.get_by_role("button", name="Follow again")
    before = _middle(back)
    _here(viewer, "owner", "owner", n=4, asks=True)
    bar.get_by_role("button", name="Allow").wait_for()
    assert _middle(back) == pytest.approx(before, abs=1)
    back.click()
    bar.get_by_role("button", name="Allow").click()
    assert page.evaluate("asked") == ["own view false", "g2 grant"]


def test_escape_in_the_picture_puts_away_what_is_in_hand_before_the_chat(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("volume=seismic", width=800)
    page = viewer.page
    _here(viewer, "owner", "owner")
    page.get_by_role("button", name="Chat").click()
    field = page.get_by_role("dialog", name="Chat").get_by_role("textbox")
    field.wait_for()
    page.get_by_role("application").click(position={"x": 100, "y": 100})
    page.keyboard.press("w")
    page.wait_for_function("dev.viewer.context.ui.tool === 'window'")
    page.keyboard.press("Escape")
    page.wait_for_function("dev.viewer.context.ui.tool === 'navigate'")
    assert field.is_visible()
    page.keyboard.press("Escape")
    field.wait_for(state="detached")
