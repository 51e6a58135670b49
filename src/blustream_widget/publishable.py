"""What a viewer can do with SFUs: a part of `Viewer`."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

import msgspec
import traitlets as t

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.publishing import (
    PublishState,
    PublishStatus,
    StartPublishing,
    StopPublishing,
    Target,
)
from blustream_widget.errors import ConfigError, SfuError, from_code

if TYPE_CHECKING:
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.server_link import Link

_START_TIMEOUT_S, _STOP_TIMEOUT_S = 30.0, 15.0


class Publishable(t.HasTraits):
    """The part of `Viewer` that is about publishing beyond its own server."""

    if TYPE_CHECKING:
        _link: Link
        _session: str

        @property
        def info(self) -> VolumeInfo: ...

    def _start_publishable(self) -> None:
        self._publish_wish: StartPublishing | None = None
        # What is not answered yet, and whether another server is to be asked it.
        self._publish_question: StartPublishing | StopPublishing | None = None
        self._publish_answer: PublishStatus | None = None
        self._is_question_due = False
        self._publish_n = 0
        self._published = PublishStatus("", 0, PublishState())
        self._published_told = threading.Condition()
        self._publish_turn = threading.Lock()  # of who asks: an answer is of one question

    @property
    def published(self) -> PublishState:
        """How publishing is: `phase` "off", "on" or "waiting", `sfu`, `place`, `message`."""
        return self._published.status

    def publish(self, to: Target | None = None) -> PublishState:
        """Give what is seen to an SFU as well, which passes it on to as many as it can.

        The pictures go there as they are sent to everybody, without a second encode, by the
        server: a busy kernel holds up nothing. Everybody who looks here sees that. Who looks there
        sees pictures alone. When the SFU is not there for a while, it is tried again until
        `unpublish`.

        Parameters
        ----------
        to : Janus or LiveKit, optional
            From `blustream_widget.sfu`. Default: where the server's settings say
            (`BLUSTREAM_SFU`).

        Returns
        -------
        PublishState
            Its `place` says where viewers find it.

        Raises
        ------
        ConfigError
            A field of `to` is of another kind, or out of its range.
        SfuRefusedError, SfuUnreachableError
            The SFU does not take the view, or is not there.
        SfuError
            It is published already; no SFU is named; there is no H.264 encoder.
        MissingDependencyError
            LiveKit's SDK is not installed.
        """
        _ = self.info
        to = _checked(to)
        wish = StartPublishing(
            session=self._session,
            n=0,
            number=secrets.randbelow((1 << 53) - 1) + 1,
            secret=secrets.token_urlsafe(24),
            to=to,
        )
        told = self._ask_to_publish(wish, _START_TIMEOUT_S)
        if told.status.code:
            with self._published_told:
                if self._published is told and told.status.phase == "on":
                    # Of a wish that was refused: what is published goes on.
                    status = msgspec.structs.replace(told.status, code="", message="", hint="")
                    self._published = msgspec.structs.replace(told, status=status)
            raise from_code(told.status.code, told.status.message, told.status.hint)
        return told.status

    def unpublish(self) -> None:
        """Take what is seen away from the SFU, and wait until that is done.

        A `publish` that another thread waits for comes to its end before.
        """
        wish = StopPublishing(session=self._session, n=0)
        self._ask_to_publish(wish, _STOP_TIMEOUT_S)

    def _ask_to_publish(
        self, wish: StartPublishing | StopPublishing, timeout_s: float
    ) -> PublishStatus:
        """Ask for something, when no other thread waits, and wait for what becomes of it."""
        with self._publish_turn, self._published_told:
            self._publish_n += 1
            question = msgspec.structs.replace(wish, n=self._publish_n)
            if isinstance(question, StopPublishing):
                self._publish_wish = None
            self._publish_question = question
            self._link.tell(question)
            try:
                self._published_told.wait_for(lambda: self._publish_answer is not None, timeout_s)
            finally:  # also when the user interrupts
                self._publish_question = None
                answer, self._publish_answer = self._publish_answer, None
            if answer is None:
                raise SfuError(
                    f"The server did not answer within {timeout_s:.0f} s.",
                    hint="See the log in the server's runtime folder.",
                )
            return answer

    def _hear_published(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.SessionOpened):
            self._is_question_due = True  # the server says in a moment what it has heard
        if not isinstance(message, PublishStatus):
            return
        with self._published_told:
            question, is_due = self._publish_question, self._is_question_due
            self._is_question_due = False
            wish = self._publish_wish
            is_replaced = wish is not None and message.n < wish.n
            if wish is not None and is_replaced:
                # Another server took the place of the one that published.
                self._link.tell(msgspec.structs.replace(wish, again=True))
            if is_due and question is not None and message.n < question.n:
                self._link.tell(question)
            if is_replaced:
                return
            self._published = message
            if message.status.phase == "off":
                self._publish_wish = None
            if question is not None and _answers(question, message):
                # What comes after it, perhaps at once, is no answer.
                self._publish_question, self._publish_answer = None, message
                if isinstance(question, StartPublishing) and not message.status.code:
                    self._publish_wish = question
            self._published_told.notify_all()


def _answers(question: StartPublishing | StopPublishing, told: PublishStatus) -> bool:
    phase = "on" if isinstance(question, StartPublishing) else "off"
    return told.n >= question.n and (told.status.phase == phase or bool(told.status.code))


def _checked(to: Target | None) -> Target | None:
    """Check the fields of a target: a struct that is made in Python is not."""
    try:
        checked: Target | None = msgspec.convert(msgspec.to_builtins(to), Target | None)
    except (msgspec.ValidationError, TypeError) as exc:
        # What was given is not said: it may be a secret.
        raise ConfigError(
            f"viewer.publish cannot take that: {exc}.",
            hint="Give a Janus or a LiveKit of blustream_widget.sfu.",
        ) from None
    return checked
