"""What a viewer shows besides one slice: panes, colours, measures, sections, copied views."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
import traitlets
from tests.unit.viewer_kit import FakeLink

from blustream_widget import errors
from blustream_widget.annotations import annotation
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import Measurement
from blustream_widget.core.horizon import Gate, TrackedGrid
from blustream_widget.core.sections import Fence, Oblique
from blustream_widget.viewer import Viewer


def test_a_layout_brings_panes_with_traits_of_their_own(viewer: Viewer, link: FakeLink) -> None:
    assert [pane.axis for pane in viewer.panes] == ["inline"]
    viewer.view_layout = "orthogonal"
    assert link.patches == [{"layout": "orthogonal"}]
    assert [pane.axis for pane in viewer.panes] == ["inline", "crossline", "sample"]
    assert [pane.slice_no for pane in viewer.panes] == [1050.0, 2080.0, 100.0]


def test_a_pane_that_is_set_moves_its_slice_and_leaves_the_active_one(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.panes[1].slice_idx = 40 - 1
    viewer.panes[2].zoom = 3.0
    assert (viewer.active, viewer.axis, viewer.slice_idx, viewer.zoom) == (0, "inline", 50, 1.0)
    assert viewer.crosshair_idx == (50, 39, 25)
    assert [pane.zoom for pane in viewer.panes] == [1.0, 1.0, 3.0]
    assert link.patches[1:] == [
        {"panes": {"1": {"slice_idx": 39}}},
        {"panes": {"2": {"zoom": 3.0}}},
    ]


def test_the_traits_of_the_viewer_are_those_of_the_active_pane(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.active = 2
    assert (viewer.axis, viewer.slice_idx) == ("sample", 25)
    viewer.slice_idx = 7
    assert viewer.panes[2].slice_idx == 7
    viewer.view_layout = "single"
    assert (viewer.axis, viewer.slice_idx, len(viewer.panes)) == ("sample", 7, 1)


def test_panes_to_compare_differ(viewer: Viewer) -> None:
    viewer.view_layout = "compare"
    viewer.panes[1].slice_no = 1010
    viewer.panes[1].colormap = "viridis"
    assert (viewer.slice_no, viewer.colormap) == (1050.0, viewer.panes[0].colormap)
    assert (viewer.panes[1].slice_no, viewer.panes[1].colormap) == (1010.0, "viridis")
    assert viewer.panes[0].colormap != "viridis"


def test_a_pane_that_moves_in_the_browser_fires_its_observers(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    link.state = viewer._state
    seen: list[int] = []
    viewer.panes[1].observe(lambda change: seen.append(change["new"]), "slice_idx")
    link.mirror(seq=link.seq, slice_idx=(1, 2, 3))
    assert seen == [2]
    assert len(link.patches) == 1


@pytest.mark.parametrize(
    ("index", "name", "value", "words"),
    [
        (1, "slice_idx", 80, "0 to 79"),
        (1, "slice_no", 1.0, "2000 to 2158"),
        (2, "axis", "depth", "inline, crossline, sample"),
        (2, "zoom", 0.0, "zoom"),
        (0, "window", -1.0, "window"),
        (1, "colormap", "rainbow", "seismic"),
    ],
)
def test_a_wrong_value_of_a_pane_is_refused_and_changes_nothing(
    viewer, link, index, name, value, words
) -> None:
    viewer.view_layout = "orthogonal"
    pane = viewer.panes[index]
    before = getattr(pane, name)
    with pytest.raises(traitlets.TraitError, match=words) as caught:
        setattr(pane, name, value)
    assert isinstance(caught.value, errors.StateError)
    assert getattr(pane, name) == before
    assert len(link.patches) == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("view_layout", "mosaic", "orthogonal"),
        ("active", 3, "has 3"),
        ("columns", (0.5,), "2 of them"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(viewer, link, name, value, words) -> None:
    viewer.view_layout = "orthogonal"
    with pytest.raises(traitlets.TraitError, match=words) as caught:
        setattr(viewer, name, value)
    assert isinstance(caught.value, errors.StateError)
    assert (viewer.view_layout, viewer.active, viewer.columns) == ("orthogonal", 0, ())


def test_a_map_of_ones_own_is_sent_once_and_then_named(viewer, link) -> None:
    viewer.colormap = [(0, 0, 0), (255, 128, 0)]
    name = viewer.colormap
    assert name.startswith("user-")
    assert [palette.name for palette in link.palettes] == [name]
    viewer.colormap = "vik"
    viewer.colormap = ["#000000", "#ff8000"]
    assert viewer.colormap == name
    assert viewer.add_colormap([(0, 0, 0), (255, 128, 0)]) == name
    assert len(link.palettes) == 1
    assert link.patches == [{"colormap": name}, {"colormap": "vik"}, {"colormap": name}]


def test_r_behind_a_name_reverses(viewer, link) -> None:
    viewer.colormap = "vik_r"
    assert (viewer.colormap, viewer.reverse) == ("vik", True)
    viewer.colormap = "batlow"
    assert viewer.reverse is True
    viewer.reverse = False
    viewer.colormap = "batlow_r"
    assert (viewer.colormap, viewer.reverse) == ("batlow", True)


def test_clip_colours_are_normalised_and_taken_away(viewer, link) -> None:
    viewer.above_color, viewer.no_value_color = "orange", (0.0, 0.0, 1.0)
    assert (viewer.above_color, viewer.no_value_color) == ("#ffa500", "#0000ff")
    viewer.above_color = None
    assert link.patches == [
        {"above_color": "#ffa500"},
        {"no_value_color": "#0000ff"},
        {"above_color": ""},
    ]


def test_label_colours_and_names_are_one_style_by_content(viewer, link) -> None:
    viewer.label_colors = {1: "#ff8800"}
    viewer.label_names = {1: "salt"}
    assert [(p.colors, p.names) for p in link.palettes] == [
        ({1: "#ff8800"}, {}),
        ({1: "#ff8800"}, {1: "salt"}),
    ]
    viewer.label_colors, viewer.label_names = {}, {}
    assert link.patches[-1] == {"label_style": ""}


def test_a_viewer_may_begin_with_colours_of_ones_own() -> None:
    link = FakeLink()
    viewer = Viewer(np.zeros((2, 2, 2)), colormap=["black", "red"], below_color="blue", _link=link)
    assert [palette.name for palette in link.palettes] == [viewer.colormap]
    assert link.first_patch == {"colormap": viewer.colormap, "below_color": "#0000ff"}
    viewer.close()
    reversed_link = FakeLink()
    Viewer(np.zeros((2, 2, 2)), colormap="vik_r", _link=reversed_link).close()
    assert reversed_link.first_patch == {"colormap": "vik", "reverse": True}


def test_a_channel_comes_back_as_it_was_left(viewer, link) -> None:
    viewer.colormap, viewer.window = "vik", 3.0
    viewer.channel = 1
    viewer.channel = 0
    assert (viewer.colormap, viewer.window, viewer.interpolate) == ("vik", 3.0, True)
    link.mirror(seq=link.seq, channel=1, colormap="grey")
    viewer.channel = 0
    viewer.channel = 1
    assert viewer.colormap == "grey"


def test_presets_are_those_of_the_shown_channel(viewer, link) -> None:
    assert viewer.presets["Full range"] == (16.0, 0.0)
    viewer.window = 1.0
    viewer.use_preset("Full range")
    assert (viewer.window, viewer.level) == (16.0, 0.0)
    with pytest.raises(errors.StateError, match="no window 'Lung' for Amplitude"):
        viewer.use_preset("Lung")


@pytest.mark.parametrize(
    ("kind", "points", "fields"),
    [
        ("rectangle", [(5, 5, 5), (5, 9, 9)], {}),  # on no section
        ("polygon", [(5, 5, 5), (5, 9, 9), (6, 5, 9)], {"axis": 0}),
        ("point", [(500, 5, 5)], {}),
    ],
)
def test_what_cannot_be_an_annotation_cannot_be_measured(viewer, kind, points, fields) -> None:
    with pytest.raises(errors.AnnotationError):
        viewer.measure(annotation(kind, points, **fields), want=("geometry",))


def test_questions_take_numpys_numbers_and_refuse_what_is_no_number_at_once(viewer, link) -> None:
    def answered(message):
        message = lp.to_server_decoder.decode(lp.encoder.encode(message))
        if isinstance(message, la.TrackHorizon):
            grid = np.zeros((1, 1), "<f4").tobytes()
            found = TrackedGrid(
                message.n, done=True, shape=(1, 1), samples=grid, likeness=grid, amplitude=grid
            )
            link.listener.on_message(la.Tracked(link.session, found))
        else:
            found = Measurement(n=message.n, id=message.item.id, done=True)
            link.listener.on_message(la.Measured(link.session, found))

    viewer._questions._post = answered
    box = annotation("box", [(0, 0, 0), (5, 5, 5)])
    one, gate = np.int64(1), Gate(window=np.int64(4), reach=np.float32(2))
    assert viewer.measure(box, channel=0 * one, bins=8 * one).done
    assert viewer.track_horizon([(1, 1, 1)], gate, channel=0 * one, span=9 * one).n_picked == 1
    for wrong in ({"bins": 8.5}, {"channel": "0"}):
        with pytest.raises(errors.AnnotationError, match="whole number"):
            viewer.measure(box, **wrong)
    with pytest.raises(errors.AnnotationError, match="span"):
        viewer.track_horizon([(1, 1, 1)], span=9.5)


def test_an_axis_given_with_a_layout_is_the_pane_in_use(volume, link) -> None:
    viewer = Viewer(volume, view_layout="orthogonal", axis="crossline", slice_idx=3, _link=link)
    assert [pane.axis for pane in viewer.panes] == ["inline", "crossline", "sample"]
    assert (viewer.active, viewer.axis, viewer.panes[1].slice_idx) == (1, "crossline", 3)
    viewer.close()


def test_layout_stays_the_css_of_ipywidgets(volume, link) -> None:
    viewer = Viewer(volume, layout={"width": "50%"}, view_layout="orthogonal", _link=link)
    assert viewer.layout.width == "50%"
    viewer.close()
    with pytest.raises(errors.ConfigError, match="view_layout='quad'"):
        Viewer(volume, layout="quad", _link=link)


def test_a_pane_has_its_own_slab_and_turn(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.slab, viewer.slab_mode = 9, "mean"
    viewer.panes[1].rotation = 90
    viewer.panes[1].pan = (0.2, 0.7)
    viewer.panes[1].flip_x = True
    assert [pane.slab for pane in viewer.panes] == [9, 1, 1]
    assert [pane.rotation for pane in viewer.panes] == [0, 90, 0]
    assert viewer.panes[1].pan == pytest.approx((0.8, 0.7))
    assert (viewer.rotation, viewer.flip_x) == (0, False)
    with pytest.raises(traitlets.TraitError, match="quarter"):
        viewer.rotation = 45


def test_a_pane_has_its_own_wiggles(viewer, link) -> None:
    viewer.view_layout = "orthogonal"
    viewer.display, viewer.wiggle_excursion = "wiggle+density", 1.5
    viewer.panes[1].display = "wiggle"
    viewer.panes[1].wiggle_polarity = "reverse"
    assert [pane.display for pane in viewer.panes] == ["wiggle+density", "wiggle", "density"]
    assert [pane.wiggle_excursion for pane in viewer.panes] == [1.5, 1.0, 1.0]
    assert (viewer.wiggle_polarity, viewer.wiggle_fill) == ("normal", True)
    with pytest.raises(traitlets.TraitError, match="density, wiggle, wiggle\\+density"):
        viewer.panes[2].display = "wiggles"


def test_a_fence_is_unrolled_in_a_pane_that_shows_no_horizontal_slice(viewer, link) -> None:
    viewer.view_layout, viewer.active = "orthogonal", 2
    assert viewer.fence == ()
    viewer.fence = [(0, 0), (50, 79.5)]
    assert [type(pane.section) for pane in viewer.panes] == [Fence, type(None), type(None)]
    assert viewer.fence == ((0.0, 0.0), (50.0, 79.5))
    viewer.fence = [(3, 4), (5, 6), (7, 6)]  # in the same pane
    assert viewer.panes[0].section == Fence(((3.0, 4.0), (5.0, 6.0), (7.0, 6.0)))
    with pytest.raises(errors.StateError, match="outside"):
        viewer.fence = [(0, 0), (100, 0)]
    viewer.fence = None
    assert viewer.fence == ()
    assert msgspec.json.encode(link.patches)


def test_a_plane_is_turned_about_an_axis_through_the_crosshair(viewer, link) -> None:
    viewer.turn(30)
    viewer.turn(60)
    # Two turns of a right angle in all: the crossline there.
    assert viewer.section == Oblique((50.0, 40.0, 25.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    viewer.turn(20, about="crossline")
    viewer.section = None
    assert viewer.section is None
    with pytest.raises(errors.StateError, match="no axis 'time'"):
        viewer.turn(20, about="time")
    with pytest.raises(errors.StateError, match="no pane 3"):
        viewer.turn(20, pane=3)
    viewer.fence = [(0, 0), (9, 9)]
    with pytest.raises(errors.StateError, match="fence cannot be turned"):
        viewer.turn(20)


def test_a_section_of_the_browser_fires_observers(viewer, link) -> None:
    seen: list[Any] = []
    viewer.observe(lambda change: seen.append(change["new"]), "section")
    fence = Fence(((1.0, 2.0), (3.0, 4.0)))
    link.mirror(section=fence)
    assert seen == [fence]
    assert link.patches == []


def test_a_view_is_copied_and_opened_in_another_viewer(viewer, volume) -> None:
    viewer.zoom, viewer.view_layout = 3.0, "compare"
    text = viewer.view_link()
    link = FakeLink()
    other = Viewer(volume, view=text, _link=link)
    assert (other.zoom, other.view_layout) == (3.0, "compare")
    assert other.view_link() == text
    with pytest.raises(errors.ViewLinkError, match="no copied view"):
        other.open_view("https://example.org")
    other.close()
