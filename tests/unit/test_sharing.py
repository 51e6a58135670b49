"""Sharing from Python: links, people, the record, and clear errors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core.qr import qr_rows, qr_svg
from blustream_widget.core.sharing import MAX_LINKS, AuditRecord, SharedPerson, ShareLinkInfo
from blustream_widget.errors import ShareError
from blustream_widget.viewer import Viewer

PAGE = "https://hub.example/user/ann/blustream/guest"


class Link:
    """Stands for the link: keeps what it is told."""

    def __init__(self):
        self.told = []

    def open_session(self, session, ref, patch, listener, palettes=()):
        self.session, self.listener = session, listener
        self.restart()

    def restart(self):
        self.listener.on_message(lp.SessionOpened(session=self.session, token="t"))

    def says(self, **fields):
        self.listener.on_message(ls.Shared(session=self.session, **fields))

    def tell(self, message):
        self.told.append(message)

    order = tell

    def got(self, kind):
        return [message for message in self.told if isinstance(message, kind)]

    def close_session(self, session):
        pass


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def viewer(link):
    made = Viewer(np.zeros((4, 4, 4), "float32"), _link=link)
    yield made
    made.close()


def info(link, *, n_joined=0, is_open=True):
    asked = link.got(ls.OpenLink)[-1]
    return ShareLinkInfo(
        id=asked.id,
        role=asked.role,
        expires_ms=0.0,
        max_viewers=asked.max_viewers,
        n_joined=n_joined,
        is_open=is_open,
    )


def test_a_link_is_an_address_with_a_secret_behind_the_hash(viewer, link):
    shared = viewer.share(role="annotator", expires="90m", max_viewers=3)
    (asked,) = link.got(ls.OpenLink)
    assert (asked.role, round(asked.expires_s, -1), asked.max_viewers) == ("annotator", 5400, 3)
    link.says(page=PAGE)
    assert shared.url == f"{PAGE}#{asked.code}"
    assert asked.code not in repr(shared)
    assert "0 of 3" in repr(shared)


def test_no_two_links_have_the_same_secret(viewer, link):
    viewer.share()
    viewer.share()
    first, second = link.got(ls.OpenLink)
    assert len({first.code, second.code, first.id, second.id}) == 4


def test_before_a_page_showed_the_viewer_the_address_is_not_known(viewer, monkeypatch):
    shared = viewer.share()
    with pytest.raises(ShareError, match="Show the viewer"):
        _ = shared.url
    assert "Show the viewer" in shared._repr_html_()
    monkeypatch.setenv("BLUSTREAM_GUEST_URL", PAGE)
    assert shared.url.startswith(f"{PAGE}#")


def test_a_cell_shows_address_and_qr_code(viewer, link):
    shared = viewer.share(role="editor")
    link.says(page=PAGE)
    shown = shared._repr_html_()
    assert f'href="{shared.url}"' in shown
    assert "<svg" in shown
    assert "drive" in shown


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"role": "owner"}, "role 'owner'"),
        ({"role": "admin"}, "role 'admin'"),
        ({"expires": "soon"}, "no duration"),
        ({"expires": "10s"}, "cannot last"),
        ({"expires": "31d"}, "cannot last"),
        ({"expires": float("nan")}, "cannot last"),
        ({"expires": None}, "no duration"),
        ({"expires": True}, "no duration"),
        ({"max_viewers": 0}, "let 0 people in"),
        ({"max_viewers": 400}, "let 400 people in"),
        ({"max_viewers": 2.5}, "let 2.5 people in"),
    ],
)
def test_what_cannot_be_shared_is_one_clear_error(viewer, link, given, words):
    with pytest.raises(ShareError, match=words):
        viewer.share(**given)
    assert link.got(ls.OpenLink) == []


def test_the_shortest_link_that_the_documentation_promises_can_be_made(viewer, link):
    assert viewer.share(expires="1m").is_open
    (asked,) = link.got(ls.OpenLink)
    assert asked.expires_s == 60.0


def test_too_many_links_are_refused_and_a_closed_one_makes_room(viewer):
    links = [viewer.share() for _ in range(MAX_LINKS)]
    with pytest.raises(ShareError, match="no more"):
        viewer.share()
    links[0].revoke()
    viewer.share()


def test_revoking_and_stopping_close_links(viewer, link):
    first, second = viewer.share(), viewer.share()
    first.revoke()
    first.revoke()
    asked = link.got(ls.OpenLink)
    assert [m.link for m in link.got(ls.StopSharing)] == [asked[0].id]
    assert (first.is_open, second.is_open) == (False, True)
    viewer.stop_sharing()
    assert link.got(ls.StopSharing)[-1].link is None
    assert (second.is_open, viewer.links) == (False, ())


def test_another_server_hears_of_the_links_that_are_open_and_of_the_places_left(viewer, link):
    shared = viewer.share(max_viewers=3)
    first = info(link, n_joined=2)
    viewer.share().revoke()
    viewer.share(max_viewers=1)
    link.says(links=(first, info(link, n_joined=1, is_open=False)))
    link.told.clear()
    link.restart()
    (asked,) = link.got(ls.OpenLink)
    assert (asked.id, asked.max_viewers) == (first.id, 1)
    link.says(links=())  # it has not heard of it yet
    assert shared.is_open
    link.says(links=(info(link, n_joined=1, is_open=False),))
    assert (shared.joined, shared.is_open) == (3, False)


def test_a_link_that_a_page_closed_is_closed_here_too(viewer, link):
    shared = viewer.share()
    link.says(links=(info(link),))
    link.says(links=())
    assert (shared.is_open, viewer.links) == (False, ())


def test_people_are_told_to_observers_and_can_be_managed(viewer, link):
    seen = []
    viewer.observe(lambda change: seen.append(change["new"]), "people")
    mei = SharedPerson(
        id="0" * 16, name="Mei", role="viewer", color="#123456", since_ms=1000.0, asks=True
    )
    link.says(people=(mei,))
    link.says(people=(mei,))
    assert len(seen) == 1
    (person,) = viewer.people
    assert (person.name, person.role, person.asks, person.following) == (
        "Mei",
        "viewer",
        True,
        True,
    )
    assert person.since.timestamp() == 1
    person.grant()
    person.refuse()
    person.take_back()
    person.set_role("editor")
    person.remove()
    with pytest.raises(ShareError):
        person.set_role("owner")
    sent = [(m.person, m.action, m.role) for m in link.got(ls.ManagePerson)]
    assert sent == [
        (mei.id, "grant", None),
        (mei.id, "refuse", None),
        (mei.id, "take-back", None),
        (mei.id, "role", "editor"),
        (mei.id, "remove", None),
    ]


def test_messages_to_the_server_can_be_read_there(viewer, link):
    viewer.share().revoke()
    for message in (*link.got(ls.OpenLink), *link.got(ls.StopSharing)):
        assert lp.to_server_decoder.decode(msgspec.json.encode(message)) == message


def test_the_record_is_kept_in_order(viewer, link):
    record = AuditRecord(1.0, "joined", "0" * 16, "Mei", "viewer")
    link.says(audit=(record,))
    link.says(audit=(msgspec.structs.replace(record, what="left"),))
    assert [each.what for each in viewer.audit] == ["joined", "left"]


def test_a_qr_code_is_drawn_with_its_quiet_zone():
    rows = qr_rows(f"{PAGE}#{'x' * 32}")
    assert {len(row) for row in rows} == {len(rows)}
    assert rows[0].startswith("1111111")  # a finder pattern
    assert f'viewBox="0 0 {len(rows) + 8} {len(rows) + 8}"' in qr_svg(rows, size_px=100)


def test_a_server_that_was_away_hears_again_who_is_out_and_before_what_is_open(viewer, link):
    gone = viewer.share()
    mei = SharedPerson(id="0" * 16, name="Mei", role="viewer", color="#123456", since_ms=1.0)
    link.says(people=(mei,), links=(info(link),))
    viewer.people[0].remove()
    gone.revoke()
    viewer.stop_sharing()
    viewer.share()
    link.told.clear()
    link.restart()
    told = [m for m in link.told if isinstance(m, ls.StayOut | ls.OpenLink)]
    assert [type(m) for m in told] == [ls.StayOut, ls.OpenLink]
    assert told[0].people == (mei.id,)
    assert gone._key in told[0].links
    assert told[1].id not in told[0].links
    assert lp.to_server_decoder.decode(msgspec.json.encode(told[0])) == told[0]


def test_stopping_is_told_again_for_links_that_pages_made(viewer, link):
    viewer.share()
    link.says(links=(msgspec.structs.replace(info(link), id="e" * 16),))
    viewer.stop_sharing()
    link.told.clear()
    link.restart()
    (told,) = link.got(ls.StayOut)
    assert "e" * 16 in told.links
