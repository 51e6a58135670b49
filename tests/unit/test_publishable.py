"""Publishing from Python: what is asked of the server, and what its answers become."""

from __future__ import annotations

import threading

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.publishing import (
    PublishState,
    PublishStatus,
    StartPublishing,
    StopPublishing,
)
from blustream_widget.errors import ConfigError, SfuError, SfuRefusedError
from blustream_widget.publishable import Publishable
from blustream_widget.sfu import Janus

JANUS = Janus(url="http://127.0.0.1:8088/janus")
ON = PublishState(phase="on", sfu="Janus", place="mountpoint 1")


class FakeLink:
    """Answers each wish at once, from another thread as the real one does."""

    def __init__(self):
        self.told, self.answers, self.viewer = [], [], None
        self._news = threading.Condition()

    def wait_for(self, n):
        with self._news:
            assert self._news.wait_for(lambda: len(self.told) >= n, 10)

    def tell(self, message):
        with self._news:
            self.told.append(message)
            self._news.notify_all()
        if self.answers:
            self.says(self.answers.pop(0), message.n)

    def says(self, status, n):
        message = PublishStatus("s", n, status)
        hearing = threading.Thread(target=self.viewer._hear_published, args=(message,))  # noqa: TID251  # the link's
        hearing.start()


class Bare(Publishable):
    """A viewer that can do this alone."""

    info = None

    def __init__(self, link):
        super().__init__()
        self._link, self._session = link, "s"
        self._start_publishable()
        link.viewer = self


@pytest.fixture
def link():
    return FakeLink()


@pytest.fixture
def viewer(link):
    return Bare(link)


def hear(viewer, status, n):
    viewer._hear_published(PublishStatus("s", n, status))


def test_it_returns_where_viewers_find_it(viewer, link):
    link.answers = [ON]
    assert viewer.publish(JANUS) == viewer.published == ON
    (wish,) = link.told
    assert (wish.to, wish.again) == (JANUS, False)


def test_why_not_is_raised(viewer, link):
    link.answers = [PublishState(code="sfu-refused", message="No.", hint="Ask.")]
    with pytest.raises(SfuRefusedError, match="No") as raised:
        viewer.publish(JANUS)
    assert raised.value.hint == "Ask."
    hear(viewer, PublishState(), 0)  # another server: there is nothing to be taken up
    assert len(link.told) == 1


@pytest.mark.parametrize(
    "to",
    [
        Janus(url="http://127.0.0.1:8088/janus", pin=8151),
        Janus(url=""),
        Janus(url="http://127.0.0.1:8088/janus", mountpoint=-1),
        "http://127.0.0.1:8088/janus",
    ],
)
def test_what_the_server_could_not_read_is_said_at_once(viewer, link, to):
    with pytest.raises(ConfigError, match=r"publish") as raised:
        viewer.publish(to)
    assert link.told == []
    assert "8151" not in str(raised.value)


def test_a_wish_that_is_refused_leaves_what_is_published_as_it_is(viewer, link):
    link.answers = [ON, PublishState("on", "Janus", "mountpoint 1", code="sfu", message="Is on.")]
    viewer.publish(JANUS)
    with pytest.raises(SfuError, match="Is on"):
        viewer.publish(JANUS)
    assert viewer.published == ON


def test_the_end_is_waited_for(viewer, link):
    link.answers = [ON, PublishState()]
    viewer.publish(JANUS)
    viewer.unpublish()
    assert [type(message) for message in link.told] == [StartPublishing, StopPublishing]
    assert viewer.published.phase == "off"


def test_a_server_that_took_the_place_of_another_publishes_it_again(viewer, link):
    link.answers = [ON]
    first_wish = viewer.publish(JANUS) and link.told[0]
    hear(viewer, PublishState(), 0)
    again = link.told[1]
    assert (again.again, again.number, again.secret) == (True, first_wish.number, first_wish.secret)
    assert again.n == first_wish.n
    hear(viewer, PublishState(), 0)  # the link came again before that was heard
    assert link.told.pop() == again
    hear(viewer, ON, again.n)
    assert (viewer.published, len(link.told)) == (ON, 2)


def test_the_same_server_is_not_asked_twice_when_the_link_comes_again(viewer, link):
    link.answers = [ON]
    viewer.publish(JANUS)
    hear(viewer, ON, link.told[0].n)
    assert len(link.told) == 1


def test_what_ended_by_itself_is_not_begun_again(viewer, link):
    link.answers = [ON]
    viewer.publish(JANUS)
    hear(viewer, PublishState(code="sfu-refused", message="Ended."), link.told[0].n)
    assert viewer.published.message == "Ended."
    hear(viewer, PublishState(), 0)
    assert len(link.told) == 1


def test_a_server_that_ends_as_it_answers_is_replaced_as_well(viewer, link):
    """Python may hear of the answer after the next server has come."""
    hear_of = viewer._hear_published

    def hear_both(message):
        with viewer._published_told:
            hear_of(message)
            hear_of(PublishStatus("s", 0, PublishState()))

    viewer._hear_published = hear_both
    link.answers = [ON]
    assert viewer.publish(JANUS) == ON
    assert [message.again for message in link.told] == [False, True]
    assert viewer.published == ON


def test_what_is_published_is_told_to_the_next_server_before_what_is_refused(viewer, link):
    link.answers = [ON]
    viewer.publish(JANUS)
    asking = threading.Thread(target=_refused, args=(viewer,))  # noqa: TID251  # a cell
    asking.start()
    link.wait_for(2)
    viewer._hear_published(lp.SessionOpened(session="s", token="t"))
    hear(viewer, PublishState(), 0)
    assert [(message.n, message.again) for message in link.told[2:]] == [(1, True), (2, False)]
    hear(viewer, PublishState("on", "Janus", "mountpoint 1", code="sfu", message="Is on."), 2)
    asking.join(10)
    assert viewer.published == ON


def _refused(viewer):
    with pytest.raises(SfuError, match="Is on"):
        viewer.publish(JANUS)
