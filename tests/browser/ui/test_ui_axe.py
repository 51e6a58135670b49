"""axe-core over every panel, kind of menu, tool and state of the viewer, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

_AXE = Path(__file__).parents[3] / "js" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = """async (rules) => {
  const only = rules.length ? { runOnly: rules } : {};
  const { violations } = await axe.run('#cell', { resultTypes: ['violations'], ...only });
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}"""
# A segmentation, an overlay and a rectangle with its statistics, as a server would tell of them.
_CONTENT = """() => {
  const { session, viewer } = dev;
  const channel = { name: 'faults', unit: '', dtype: 'uint8', value_min: 0, value_max: 2,
    is_label: true, percentiles: [], abs_percentiles: [], histogram: [],
    label_names: { 1: 'salt', 2: 'gas' } };
  const percentiles = Array.from({ length: 101 }, (_, i) => i / 10);
  const amounts = { ...channel, name: 'pet', unit: 'SUV', dtype: 'float32', value_max: 10,
    is_label: false, percentiles, abs_percentiles: percentiles, label_names: {},
    histogram: Array.from({ length: 64 }, (_, i) => 64 - i) };
  const of = (name, channel) => ({ name, channel, is_counted: true, lod: 0, voxel_volume: 2,
    volume_unit: 'mm³', values_of: 0, labels: channel.is_label ? [1, 2].map((value) =>
      ({ value, count: 1000 * value, centre: [10, 20, 30], mean: 1, sd: 2 })) : [] });
  session.segmentations = [of('faults', channel), of('pet', amounts)];
  session.patch({
    segmentations: [{ name: 'faults', visible: true, opacity: 0.4, style: 'both',
      label_style: '', hidden: [2] }],
    overlays: ['blend', 'blink', 'checkerboard', 'swipe'].map((mode) => ({ name: 'pet', mode,
      visible: true, opacity: 0.5, colormap: 'hot', reverse: false, window: 10, level: 5,
      threshold: 1, two_sided: false, tiles: 8, split: 0.5, divider: 'vertical', period_s: 1 }))
      .slice(-1) });
  const slice = session.state.slice_idx[0];
  const line = (id, kind, points) => ({ op: 'put', item: { id, kind, points, axis: 0, label: id,
    text: '', color: '#ffd43b', width: 2, visible: true, locked: id === 'b', closed: false,
    group: '', author: '', created_ms: 0, modified_ms: 0 } });
  session.annotations.change([
    line('a', 'rectangle', [[slice, 60, 60], [slice, 120, 130]]),
    line('b', 'distance', [[slice, 150, 60], [slice, 180, 130]]),
    line('c', 'profile', [[slice, 150, 160], [slice, 180, 190]])]);
  viewer.context.set({ panel: true });
}"""
# The owner, who drives, and three guests, as a server would tell `you` of them.
_PEOPLE = """((you) => {
  const of = (id, name, role, color, more = {}) => ({ id, name, role, color, since_ms: 0,
    transport: 'websocket', latency_ms: 30, drives: false, asks: false, is_lent: false,
    looks_around: false, ...more });
  const { people } = dev.session;
  people.received({ type: 0x92, you, links: [], may_call: true, more: 0, people: [
    of('owner', 'Jonas Aune', 'owner', '#2a75c6', { drives: true }),
    of('a', 'Mei Tan', 'annotator', '#0b7d71', { asks: true }),
    of('b', 'Ravi Kumar', 'viewer', '#b0488a'),
    of('c', 'Guest', 'viewer', '#b25f16', { looks_around: true })] });
  people.received({ type: 0x98, lines: [
    { n: 1, who: 'a', name: 'Mei Tan', text: 'Is that salt?', at_ms: 0 }] });
  dev.session.role = you === 'owner' ? 'owner' : 'viewer';
  dev.session.patch({});
})"""
# Two of them talk, one is muted; then there is no room for more.
_CALL = """() => {
  const { call } = dev.session;
  const member = (person, muted) => ({ seat: person, person, muted, camera: false });
  const members = [member('owner', false), member('a', true)];
  Object.assign(call, { phase: 'in', members, speaking: new Set(['owner']), revision: 1 });
  dev.session.patch({});
}"""
_NO_CALL = """() => {
  const trouble = { message: 'A call takes 6 people.', hint: 'Write in the chat.' };
  Object.assign(dev.session.call, { phase: 'out', trouble, revision: 2 });
  dev.session.patch({});
}"""
_MENUS = ("window", "more", "settings", "context", "measure", "help")
_LAYOUTS = ("quad", "picture-in-picture")


def _states() -> dict[str, str]:
    """Name and the JavaScript that leads there from the state before."""
    context = "dev.viewer.context"
    select = f"{context}.desk.editor.selection.pick"
    lost = "{ phase: 'reconnecting', retryInMs: 3000 }"
    return {
        **{f"layout {name}": f"dev.session.patch({{ layout: '{name}' }})" for name in _LAYOUTS},
        "side panel": f"dev.session.patch({{ layout: 'single' }}); ({_CONTENT})()",
        "statistics": f"{select}('a')",
        "painting": f"{context}.labels.pick('paint')",
        "horizon over wiggles, profile": "dev.session.patch({ display: 'wiggle' });"
        f"{context}.set({{ panel: false }}); {select}('c'); {context}.desk.editor.pick('horizon')",
        "fence": f"{context}.pick('fence')",
        **{f"open {name}": f"{context}.set({{ open: '{name}' }})" for name in _MENUS},
        "slice number": f"{context}.set({{ open: '' }}); {context}.ask('goto')",
        "share": f"{_PEOPLE}('owner'); {context}.set({{ open: 'share' }})",
        "people and chat": f"{context}.set({{ open: '', panel: true }})",
        "chat, a request": f"{context}.set({{ open: 'chat', panel: false }})",
        "call": f"({_CALL})()",
        "call is full": f"({_NO_CALL})()",
        "following": f"{_PEOPLE}('b'); {context}.set({{ panel: false }})",
        "own view": "dev.session.ownView.welcomed({ own: true }); dev.session.patch({})",
        "lost": f"dev.session.setStatus({lost})",
        "failed": "dev.session.info = null; dev.session.setStatus({ phase: 'failed', error: {"
        " code: 'volume-access', message: 'Refused (403).', hint: 'Check the key.' } })",
    }


def _faults(viewer: DevPage, action: str, rules: list[str]) -> list[str]:
    viewer.page.evaluate(f"() => {{ {action} }}")
    # Everything is drawn within two refreshes of the page.
    viewer.page.evaluate(
        "new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(d)))"
    )
    return viewer.page.evaluate(_SERIOUS, rules)


# Roles and names are those of the light theme: what the dark one changes is colours.
_IN_DARK = (
    *("layout quad", "side panel", "statistics", "painting", "open window", "open help"),
    *("share", "people and chat", "call", "call is full", "following", "own view"),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault_anywhere(open_viewer: OpenViewer, theme: str) -> None:
    # High enough for all of the side panel; without the fading in that is no colour to be read.
    size = {"width": 1100, "height": 1700}
    viewer = open_viewer(f"volume=seismic&theme={theme}", reduced_motion="reduce", **size)
    viewer.page.add_script_tag(path=_AXE)
    is_dark = theme == "dark"
    states = {name: js for name, js in _states().items() if not is_dark or name in _IN_DARK}
    rules = ["color-contrast"] if is_dark else []
    found = {name: _faults(viewer, action, rules) for name, action in states.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}
