"""What a session shows to all who follow: its state, and how that comes to change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError
from blustream_widget.session.wishes import EarlyWishes

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.session_store import SessionStore
    from blustream_widget.session.ties import Ties
    from blustream_widget.session.viewer import Viewer

logger = logging.getLogger(__name__)


class ShownView:
    """State and volume of a session, changed by pages, kernel and linked views. Loop thread only.

    Parameters
    ----------
    session_id : str
    kernel : KernelPort
        Told what is wrong with a patch of the kernel's.
    store : SessionStore
        Keeps what is shown.
    ties : Ties
        Told when somebody changed the view, and when the volume has opened.
    check : callable
        Raises `StateError` for a patch that names what is not there.
    on_change : callable
        The state is another; whether it looks other than the one before.
    tell_kernel : callable
        Has the kernel told how things are, in a moment.

    Attributes
    ----------
    id : str
        The session's.
    state : ViewState
    info : VolumeInfo or None
        None until the volume is open.
    """

    _left: ViewState | None = None  # by a former server, until the kernel has come

    def __init__(
        self,
        session_id: str,
        *,
        kernel: KernelPort,
        store: SessionStore,
        ties: Ties,
        check: Callable[[dict[str, Any]], None],
        on_change: Callable[[bool], None],
        tell_kernel: Callable[[], None],
    ) -> None:
        self.id = session_id
        self.state = ViewState()
        self.info: VolumeInfo | None = None
        self._kernel, self._store, self._ties = kernel, store, ties
        self._check = check
        self._on_change, self._tell_kernel = on_change, tell_kernel
        self._wishes = EarlyWishes(check)
        self._has_first_state = False

    @property
    def first_state(self) -> ViewState | None:
        """What a new worker begins with; None: it says itself what to show first."""
        return self.state if self._has_first_state else None

    @property
    def pane(self) -> tuple[int, int] | None:
        """Width and height of the page's pane in device pixels; None if no page has told."""
        return self._wishes.pane

    def begin(self, patch: dict[str, Any], state: ViewState | None) -> None:
        """Begin with `patch`, or where a former session was."""
        state = self._store.newest(state)
        if state is not None:
            self.state = state
            self._has_first_state = True
        self._wishes.by_kernel(patch)

    def await_kernel(self) -> None:
        """Take note that a kernel comes behind its pages, and may know better."""
        self._left = self.state

    def catch_up(self, state: ViewState | None) -> None:
        """Hear from a kernel that comes behind its pages what it saw last of the former server.

        That may be newer than what was written down, and counts as long as nobody has moved since.
        """
        left, self._left = self._left, None
        if state is None or left is None or left != self.state:
            return
        if state.revision > left.revision:
            self._set(state)

    # -------------------------------------------------- changes

    def patch_by_kernel(self, patch: dict[str, Any], seq: int) -> None:
        """Change the state; what is wrong with the patch is told to the kernel."""
        self._kernel.wished_seq = max(self._kernel.wished_seq, seq)
        if self.info is None:
            # Not confirmed yet: what is mirrored until then is without it.
            self._wishes.by_kernel(patch)
            return
        self._kernel.seq = self._kernel.wished_seq
        try:
            self._check(patch)
            self._lead(self.state.with_patch(patch, self.info))
        except StateError as exc:
            self._kernel.tell_error(exc)
            self._tell_kernel()

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        """Change the state for a viewer that may; raises `StateError`."""
        if self.info is None:
            self._wishes.by_page(patch)
            return
        self._check(patch)
        state = self.state.with_patch(patch, self.info)
        if state is self.state:
            # Nothing changed, but the sender waits to hear that its message was taken.
            viewer.send(vm.State(seq=viewer.seq, state=state))
        self._lead(state)

    def follow(self, patch: dict[str, Any]) -> None:
        """Change because a linked view did; nobody follows it for that."""
        if self.info is None or not patch:
            return
        try:
            self._store.palettes.check(patch)
            state = self.state.with_patch(patch, self.info)
        except StateError as exc:
            logger.debug("Session %.8s cannot follow: %s", self.id, exc)
            return
        self._set(state)

    def change(self, patch: dict[str, Any]) -> None:
        """Change for the session itself, if the volume is open; nobody follows it for that."""
        if self.info is not None:
            self._set(self.state.with_patch(patch, self.info))

    def _lead(self, state: ViewState) -> None:
        """Take a state that somebody wished for, and let linked views follow."""
        before = self.state
        self._set(state)
        if state is not before:
            self._ties.led(self, before)

    def _set(self, state: ViewState) -> None:
        if state is not self.state:
            has_moved = not state.looks_like(self.state)
            self.state = state
            self._store.show(state)
            self._on_change(has_moved)
        self._tell_kernel()

    # -------------------------------------------------- the volume

    def opened(self, message: wp.Opened) -> ViewState | None:
        """Take a volume that has opened, perhaps once more, with what was wished meanwhile.

        Returns what was shown before, if anything was: for `lead_as_opened`, when all were told.
        """
        is_same = self.info is not None and self.info.shape == message.info.shape
        self.info = message.info
        before = self.first_state
        if before is None or not is_same:
            if before is not None:  # the kernel may have known a newer one while it opened
                message = msgspec.structs.replace(message, state=before)
            self.state = self._wishes.apply(message, self._kernel.tell_error)
            self._kernel.seq = self._kernel.wished_seq
            self._has_first_state = True
            self._store.show(self.state)
        return before

    def lead_as_opened(self, before: ViewState | None) -> None:
        """Let linked views follow, now that the volume is open."""
        if before is not None and self.state != before:
            self._ties.led(self, before)  # by what was asked for while it was opening again
        self._ties.opened(self)
