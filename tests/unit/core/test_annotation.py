"""Annotations: what is valid, edits that converge, steps that can be taken back."""

from __future__ import annotations

import json
import math
import string

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core import annotation as a
from blustream_widget.core import protocol as p
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_history import AnnotationHistory
from blustream_widget.core.annotation_messages import (
    DragPoint,
    EditAnnotations,
    Measure,
    MoveItem,
    PutItem,
    RemoveItem,
    SetItem,
)
from blustream_widget.core.annotation_set import AnnotationSet, Author
from blustream_widget.core.message_types import MessageType
from blustream_widget.errors import AnnotationError, NotDriverError, ProtocolError

SHAPE = (100, 80, 50)
OWNER = Author("owner", 1000.0, SHAPE)
GUEST = Author("annotator-2", 2000.0, SHAPE)


def line(key: str = "l", **fields):
    return annotation("line", [(1, 2, 3), (4, 5, 6)], id=key, **fields)


def filled(*items) -> AnnotationSet:
    found = AnnotationSet()
    found.apply([PutItem(item) for item in items], OWNER)
    return found


def test_numbers_of_the_messages_are_those_of_the_protocol():
    assert EditAnnotations.__struct_config__.tag == MessageType.ANNOTATION == 0x33
    assert Measure.__struct_config__.tag == MessageType.MEASUREMENT == 0x34


BAD = [
    ("triangle", [(1, 1, 1)], {}),
    ("point", [(math.nan, 1, 1)], {}),
    ("point", [(math.inf, 1, 1)], {}),
    ("point", [(1, 1)], {}),
    ("point", "abc", {}),
    ("point", [], {}),
    ("line", [(1, 1, 1)], {}),
    ("angle", [(1, 1, 1), (2, 2, 2)], {}),
    ("polygon", [(1, 1, 1), (1, 2, 2)], {"axis": 0}),
    ("freehand", [(1, 1, 1), (1, 2, 2)], {"axis": 0, "closed": True}),
    ("point", [(100, 1, 1)], {}),
    ("point", [(1, 1, -0.6)], {}),
    ("rectangle", [(1, 1, 1), (1, 2, 2)], {}),
    ("rectangle", [(1, 1, 1), (2, 2, 2)], {"axis": 0}),
    ("line", [(1, 1, 1), (2, 2, 2)], {"closed": True}),
    ("path", [(1, 1, 1)] * (a.MAX_POINTS + 1), {}),
    ("path", [(1, 1, 1)] * 1_000_000, {}),
    ("text", (1, 1, 1), {"text": "<script>alert(1)</script>"}),
    ("text", (1, 1, 1), {"text": "< IMG src=x onerror=alert(1)>"}),
    ("text", (1, 1, 1), {"label": "[x](javascript:alert(1))"}),
    ("text", (1, 1, 1), {"text": "a\x00b"}),
    ("text", (1, 1, 1), {"text": "a\u202eb"}),
    ("text", (1, 1, 1), {"text": "a\ud800b"}),
    ("text", (1, 1, 1), {"text": "x" * 4097}),
    ("point", (1, 1, 1), {"id": "a b"}),
    ("point", (1, 1, 1), {"color": "red"}),
    ("point", (1, 1, 1), {"color": "#12345g"}),
    ("point", (1, 1, 1), {"axis": 3}),
    ("point", (1, 1, 1), {"width": 1000}),
    ("point", (1, 1, 1), {"visible": "yes"}),
    ("point", (1, 1, 1), {"colour": "#ffffff"}),
]


@pytest.mark.parametrize(("kind", "points", "fields"), BAD)
def test_what_cannot_be_is_refused_with_one_error_and_changes_nothing(kind, points, fields):
    found = filled(line())
    before = dict(found)
    with pytest.raises(AnnotationError):
        found.apply([PutItem(line("new")), PutItem(annotation(kind, points, **fields))], OWNER)
    assert dict(found) == before


def test_plain_words_with_signs_are_text():
    text = "a < b > c, R&D \u2013 \u5149 <3 onset=5\nsecond line"
    assert annotation("text", (1, 1, 1), text=text).text == text


def test_edits_of_one_list_are_applied_together():
    found = filled(line())
    change = found.apply(
        [
            DragPoint("l", 1, (9.0, 9.0, 9.0)),
            MoveItem("l", (2.0, 2.0, 2.0)),
            SetItem("l", label="throw", color="#00ff00"),
            PutItem(line("first"), before="l"),
            RemoveItem("never there"),
        ],
        OWNER,
    )
    assert list(found) == ["first", "l"]
    assert found["l"].points == ((2.0, 2.0, 2.0), (10.0, 9.0, 8.0))
    assert (found["l"].label, found["l"].color, found["l"].author) == ("throw", "#00ff00", "owner")
    follower = filled(line())
    follower.follow(change.edits)
    assert list(follower.values()) == list(found.values())


def test_a_dragged_vertex_sends_no_other():
    message = EditAnnotations(seq=1, edits=(DragPoint("l", 1, (9.0, 9.0, 9.0)),), gesture=4)
    assert len(p.encode(message)) < 130


@pytest.mark.parametrize(
    "edit",
    [
        SetItem("gone", label="x"),
        DragPoint("gone", 0, (1.0, 1.0, 1.0)),
        DragPoint("l", 2, (1.0, 1.0, 1.0)),
        DragPoint("l", 0, (1.0, 1.0, 51.0)),
        MoveItem("l", (98.0, 1.0, 1.0)),
        SetItem("l", points=((1.0, 1.0, 1.0),)),
        SetItem("l", closed=True),
        PutItem(annotation("arrow", [(1, 2, 3), (4, 5, 6)], id="l")),
        RemoveItem("locked"),
        SetItem("locked", label="x"),
        PutItem(line("locked", locked=True)),
    ],
)
def test_an_edit_that_cannot_be_leaves_everything(edit):
    found = filled(line(), line("locked", locked=True))
    before = dict(found)
    with pytest.raises(AnnotationError):
        found.apply([RemoveItem("other"), edit], OWNER)
    assert dict(found) == before


def test_a_locked_one_can_be_unlocked_only():
    found = filled(line(locked=True))
    found.apply([SetItem("l", locked=False, label="free")], OWNER)
    assert (found["l"].locked, found["l"].label) == (False, "free")


def test_guests_change_what_is_theirs_only():
    found = filled(line("owners"))
    found.apply([PutItem(line("guests", author="owner"))], GUEST)
    assert found["guests"].author == "annotator-2"
    with pytest.raises(NotDriverError):
        found.apply([RemoveItem("owners")], GUEST)
    found.apply([RemoveItem("guests"), RemoveItem("owners")], OWNER)
    assert not found


def test_too_many_are_refused(monkeypatch):
    monkeypatch.setattr("blustream_widget.core.annotation_set.MAX_ANNOTATIONS", 2)
    found = filled(line("a"), line("b"))
    with pytest.raises(AnnotationError):
        found.apply([PutItem(line("c"))], OWNER)
    found.apply([RemoveItem("a"), PutItem(line("c"))], OWNER)
    assert list(found) == ["b", "c"]


# ---------------------------------------------------------------- history


class Desk:
    """A set and its history, as the session has them."""

    def __init__(self):
        self.items, self.history = AnnotationSet(), AnnotationHistory()

    def edit(self, *edits, by=OWNER, gesture=None):
        change = self.items.apply(edits, by)
        self.history.add(by.name, change, gesture)

    def take(self, what, by=OWNER):
        edits = getattr(self.history, what)(by.name, self.items)
        self.items.apply(edits, Author(by.name, 0.0, SHAPE, is_undoing=True))
        return bool(edits)


def test_a_gesture_is_one_step_and_comes_back_in_its_place():
    desk = Desk()
    desk.edit(*(PutItem(line(key)) for key in "abcd"))
    for x in (7.0, 8.0, 9.0):
        desk.edit(DragPoint("b", 0, (x, 2.0, 3.0)), gesture=("v", 1))
    desk.edit(RemoveItem("b"), RemoveItem("c"))
    assert list(desk.items) == ["a", "d"]
    desk.take("undo")
    assert list(desk.items) == ["a", "b", "c", "d"]
    assert desk.items["b"].points[0] == (9.0, 2.0, 3.0)
    desk.take("undo")
    assert desk.items["b"].points[0] == (1.0, 2.0, 3.0)
    assert desk.history.can("owner") == (True, True)
    desk.take("redo")
    desk.take("redo")
    assert list(desk.items) == ["a", "d"]
    assert not desk.take("redo")


def test_undo_takes_back_ones_own_and_leaves_what_others_changed_since():
    desk = Desk()
    desk.edit(PutItem(line("mine")), PutItem(line("both")))
    desk.edit(PutItem(line("guests")), by=GUEST)
    desk.edit(SetItem("both", label="mine"), SetItem("mine", label="mine"))
    # Somebody else who may: here the owner's other page, as another author for the test.
    desk.items.apply([SetItem("both", label="other")], OWNER)
    desk.take("undo")
    assert (desk.items["mine"].label, desk.items["both"].label) == ("", "other")
    desk.take("undo", by=GUEST)
    assert list(desk.items) == ["mine", "both"]


names = st.sampled_from(["a", "b", "c", "d"])
places = st.tuples(*(st.floats(0, n - 1) for n in SHAPE))
edits = st.one_of(
    st.builds(lambda key, q: PutItem(annotation("line", [q, q], id=key)), names, places),
    st.builds(
        lambda key, before: PutItem(annotation("line", [(1, 1, 1)] * 2, id=key), before),
        names,
        names,
    ),
    st.builds(RemoveItem, names),
    st.builds(lambda key, text: SetItem(key, label=text), names, st.sampled_from(["x", "y"])),
    st.builds(DragPoint, names, st.integers(0, 1), places),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(edits, st.booleans(), st.integers(0, 2)), max_size=25))
def test_followers_converge_and_undoing_all_gives_nothing(steps):
    desk, follower = Desk(), AnnotationSet()
    snapshots = []
    for edit, repeat, gesture in steps:
        for _ in range(1 + repeat):  # repeating an edit changes nothing more
            try:
                change = desk.items.apply([edit], OWNER)
            except AnnotationError:
                continue
            desk.history.add("owner", change, ("v", gesture) if gesture else None)
            follower.follow(change.edits)
        snapshots.append(list(desk.items))
    plain = [msgspec.structs.replace(i, modified_ms=0.0) for i in desk.items.values()]
    told = [msgspec.structs.replace(i, modified_ms=0.0) for i in follower.values()]
    assert plain == told
    last = list(desk.items.values())
    while desk.take("undo"):
        pass
    assert not desk.items
    while desk.take("redo"):
        pass
    assert {i.id: i.points for i in desk.items.values()} == {i.id: i.points for i in last}


puts = st.builds(
    lambda key, before: PutItem(annotation("point", (1, 1, 1), id=key), before),
    st.sampled_from("abcdefgh"),
    st.sampled_from("abcdefgh") | st.none(),
)
removals = st.builds(RemoveItem, st.sampled_from("abcdefgh"))


@settings(max_examples=100, deadline=None)
@given(st.lists(puts | puts | removals, max_size=30))
def test_edits_of_one_list_lead_to_the_order_that_they_lead_to_one_by_one(some):
    at_once, one_by_one = AnnotationSet(), AnnotationSet()
    change = at_once.apply(some, OWNER)
    for edit in some:
        one_by_one.apply([edit], OWNER)
    assert list(at_once) == list(one_by_one)
    follower = AnnotationSet()
    follower.follow(change.edits)
    assert list(follower) == list(at_once)


def test_thousands_that_were_removed_come_back_in_their_order():
    keys = [f"p{n}" for n in range(3000)]
    desk = Desk()
    desk.items.apply([PutItem(annotation("point", (1, 1, 1), id=key)) for key in keys], OWNER)
    desk.edit(*(RemoveItem(key) for key in keys))
    assert desk.take("undo")
    assert list(desk.items) == keys


# ---------------------------------------------------------------- what comes over the wire

junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["op", "id", "item", "points", "kind", "at", "point", "to", "axis", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
near = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["put", "set", "drag", "move", "remove", "undo"]),
    },
    optional={
        "id": names | st.text(alphabet=string.printable, max_size=70),
        "item": junk | st.just({"kind": "line", "points": [[1, 1, 1], [2, 2, 2]], "id": "a"}),
        "at": st.integers(-1, 2001),
        "point": st.lists(st.floats() | st.integers(-2, 2**40), min_size=2, max_size=4),
        "to": places.map(list),
        "label": st.text(max_size=300),
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(junk | near, max_size=4), st.integers(-1, 2**60) | st.none())
def test_any_message_is_applied_or_refused_and_never_breaks(some, seq):
    text = json.dumps({"type": 0x33, "seq": seq, "edits": some})
    found = filled(line("a"))
    before = dict(found)
    try:
        message = p.decode_viewer(text)
        assert isinstance(message, EditAnnotations)
        found.apply(message.edits, OWNER)
    except (ProtocolError, AnnotationError):
        assert dict(found) == before
    for item in found.values():
        a.check_annotation(item, SHAPE)


def test_bounds_of_a_message():
    many = ",".join(['{"op":"remove","id":"a"}'] * 257)
    with pytest.raises(ProtocolError):
        p.decode_viewer(f'{{"type":51,"seq":1,"edits":[{many}]}}')
    with pytest.raises(ProtocolError):
        p.decode_viewer('{"type":52,"n":1,"id":"a","bins":257}')
    longest = [(1234.567, 1234.567, 1234.567)] * a.MAX_POINTS
    text = "x" * 4096
    item = annotation("path", longest, text=text, label="y" * 256)
    assert len(p.encode(EditAnnotations(seq=1, edits=(PutItem(item),)))) < p.MAX_MESSAGE_BYTES
