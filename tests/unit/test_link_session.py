"""Changes of a view that are told as one, where that means the same."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core.state import first_state
from blustream_widget.errors import StateError
from blustream_widget.link_session import Change
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((100, 80, 60))


def joined(*patches):
    """Give the patches that are told for these."""
    told = [Change({}, 0)]
    for seq, patch in enumerate(patches, 1):
        change = told[-1].joined(patch, seq)
        if change is None:
            told.append(Change(patch, seq))
        else:
            told[-1] = change
    return [change.patch for change in told]


@pytest.mark.parametrize(
    ("patches", "n"),
    [
        ([{"zoom": 2.0}, {"slice_idx": 5}, {"zoom": 3.0}], 1),
        ([{"axis": 1}, {"slice_idx": 5}], 1),
        ([{"slice_idx": 5}, {"axis": 1}], 2),
        ([{"active": 1}, {"zoom": 2.0}], 1),
        ([{"active": 1}, {"zoom": 2.0}, {"active": 0}], 2),
        ([{"zoom": 2.0}, {"active": 1}], 2),
        ([{"window": 2.0}, {"linked": False}], 2),
        ([{"zoom": 2.0}, {"layout": "compare"}], 2),
        ([{"panes": {"1": {"zoom": 2.0}}}, {"panes": {"1": {"slice_idx": 7}}}], 1),
        ([{"panes": {"1": {"slice_idx": 7}}}, {"panes": {"1": {"axis": 1}}}], 2),
        ([{"panes": {"1": {"zoom": 2.0}}}, {"panes": {"2": {"zoom": 3.0}}}], 2),
        ([{"panes": {"1": {"slice_idx": 7}}}, {"slice_idx": 5}], 2),
        ([{"slice_idx": 5}, {"panes": {"1": {"slice_idx": 7}}}], 2),
    ],
)
@pytest.mark.parametrize("layout", ["2x2", "orthogonal"])
def test_what_is_told_means_what_was_set(patches, n, layout):
    state = first_state(INFO).with_patch({"layout": layout}, INFO)
    told = joined(*patches)
    assert len(told) == n
    one_by_one = at_once = state
    for patch in patches:
        one_by_one = one_by_one.with_patch(patch, INFO)
    for patch in told:
        at_once = at_once.with_patch(patch, INFO)
    assert at_once.looks_like(one_by_one)
    assert (at_once.active, at_once.slice_idx) == (one_by_one.active, one_by_one.slice_idx)


def one_of_each(**fields):
    return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in fields.items()))


LOOKS = one_of_each(
    axis=st.integers(0, 2),
    slice_idx=st.integers(0, 59) | st.tuples(*(st.integers(0, 59),) * 3),
    zoom=st.sampled_from([1.0, 2.0]),
    window=st.sampled_from([1.0, 2.0]),
    pan=st.tuples(st.sampled_from([0.2, 0.5]), st.sampled_from([0.5, 0.7])),
    rotation=st.sampled_from([0, 90]),
    flip_x=st.booleans(),
    north_up=st.booleans(),
)
CHANGES = (
    LOOKS
    | one_of_each(
        layout=st.sampled_from(["single", "compare", "2x2"]),
        active=st.integers(0, 3),
        linked=st.booleans(),
    )
    | one_of_each(panes=st.dictionaries(st.sampled_from(["0", "1"]), LOOKS, min_size=1))
)


def after(state, patches):
    for patch in patches:
        state = state.with_patch(patch, INFO)
    return msgspec.structs.replace(state, revision=0)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["single", "compare", "2x2"]), st.lists(CHANGES, min_size=2, max_size=4))
def test_whatever_is_set_means_the_same_when_it_is_told(layout, patches):
    state = first_state(INFO).with_patch({"layout": layout}, INFO)
    try:
        one_by_one = after(state, patches)
    except StateError:
        return  # a pane that is not there: refused one by one, or with what it was joined to
    assert after(state, joined(*patches)) == one_by_one
