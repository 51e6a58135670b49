"""A session's recording: who may begin it, what goes into it, and who is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget._version import __version__
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import OrderedEdit, PutItem
from blustream_widget.core.palettes import Palette
from blustream_widget.core.recording_messages import Phase, RecordingState, SetRecording
from blustream_widget.errors import BlustreamError, NotDriverError, RecordingError
from blustream_widget.recording import places
from blustream_widget.recording.voices import Spoken
from blustream_widget.recording.writer import RecordingWriter, Told
from blustream_widget.session.recording_tap import RecordingTap
from blustream_widget.session.told_again import told_again
from blustream_widget.transport.fanout import Fanout

if TYPE_CHECKING:
    from blustream_widget.core.annotation import Annotation
    from blustream_widget.core.share_messages import PointerPlace
    from blustream_widget.core.sharing import SharedPerson
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer

_RECORDERS = frozenset({"owner", "editor"})
_STOP_TIMEOUT_S = 10.0
FIRST_PICTURE_S = 2.0
"""So long at most whoever begins a recording waits until its first picture is in it."""


class RecordingDesk:
    """Begins and ends the recording of one session. Loop thread only.

    Parameters
    ----------
    config : Config
    fanout : Fanout
        What goes through it is recorded.
    kernel : KernelPort
    viewers : callable
        Gives those who look now.
    view : callable
        Gives state and volume; the latter None while it is not open.
    items : callable
        Gives the annotations.
    palettes : callable
        Gives the user's colours, and by which numbers pictures name them.
    encoder : callable
        Gives the name of the worker's encoder, "" without any.
    on_change : callable
        A recording has begun or ended: other pictures are wanted.
    in_turn : callable
        Calls its argument when all edits that came before have been told: they belong to what ends.
    """

    def __init__(
        self,
        *,
        config: Config,
        fanout: Fanout,
        kernel: KernelPort,
        viewers: Callable[[], Iterable[Viewer]],
        view: Callable[[], tuple[ViewState, VolumeInfo | None]],
        items: Callable[[], Iterable[Annotation]],
        palettes: Callable[[], Iterable[tuple[Palette, int]]],
        encoder: Callable[[], str],
        on_change: Callable[[], None],
        in_turn: Callable[[Callable[[], None]], None],
    ) -> None:
        self._config, self._fanout = config, fanout
        self._in_turn = in_turn
        self._kernel = kernel
        self._viewers = viewers
        self._view = view
        self._items = items
        self._palettes = palettes
        self._encoder = encoder
        self._on_change = on_change
        self._writer: RecordingWriter | None = None
        self._tap: RecordingTap | None = None
        self._noted_info: VolumeInfo | None = None
        self._noted_people: dict[str, dict[str, str]] = {}
        self._path = Path()
        self._told = RecordingState()
        # Of the kernel's newest wish: why it came to nothing, and the recording it began.
        self._refusal: RecordingState | None = None
        self._wished_number = 0
        self._kernel_n = self._n_begun = 0
        self._waiting: asyncio.TimerHandle | None = None
        self._is_closed = False

    @property
    def is_on(self) -> bool:
        """Whether a recording runs, or is about to."""
        return self._writer is not None

    @property
    def number(self) -> int:
        """Counts the recordings of this session, with the one that runs."""
        return self._n_begun

    @property
    def takes_pictures(self) -> bool:
        """Whether pictures are wanted for it."""
        return self._tap is not None

    # -------------------------------------------------- wishes

    def receive(self, viewer: Viewer, message: SetRecording) -> bool:
        """Do what somebody who looks wishes; False if it is so already.

        Raises
        ------
        NotDriverError
            The role does not allow it.
        RecordingError
        """
        if viewer.role not in _RECORDERS:
            raise NotDriverError(
                f"The role {viewer.role!r} may look, not record.",
                hint="Ask the owner for an editor's link.",
            )
        if message.on == (self._writer is not None):
            return False
        if message.on:
            self._start("", by=viewer.role, overwrite=False)
        else:
            self._stop()
        return True

    def receive_of_kernel(self, message: lp.StartRecording | lp.StopRecording) -> bool:
        """Do what the kernel wishes; the answer bears its number. False: it was refused, or so.

        What is told twice, as may be when a link comes again, is answered twice and done once.
        """
        if message.n <= self._kernel_n:
            self.attach_kernel()
            return False
        self._kernel_n, self._refusal = message.n, None
        if isinstance(message, lp.StopRecording):
            was_on = self._writer is not None
            self._stop()
            if self._writer is None:
                self._tell(self._told)
            return was_on
        try:
            if self._writer is not None:
                raise RecordingError(
                    f"The view is recorded already, to {self._path.name}.",
                    hint="viewer.stop_recording() ends that.",
                )
            self._start(message.path, by="owner", overwrite=message.overwrite)
        except BlustreamError as exc:
            self._refusal = _with(self._told, exc)
            self._tell_kernel(self._refusal)
            return False
        self._wished_number = self._n_begun
        return True

    def _start(self, path: str, *, by: str, overwrite: bool) -> None:
        if self._is_closed:
            raise RecordingError("The view is being closed.", hint="Show it again to record it.")
        _, info = self._view()
        if info is not None and not self._encoder():
            raise RecordingError(
                "There is no H.264 encoder on this machine, and nothing else is recorded.",
                hint="`blustream doctor` says what was tried.",
            )
        name = "" if info is None else info.name
        self._path = Path(path) if path else places.new_path(self._config, name)
        loop = asyncio.get_running_loop()
        self._n_begun += 1
        number = self._n_begun

        def tell(told: Told) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the file
                loop.call_soon_threadsafe(self._heard, number, told)

        self._writer = RecordingWriter(self._path, self._config, tell, overwrite=overwrite)
        self._tell(RecordingState(phase="starting", name=self._path.name, by=by, number=number))

    def _stop(self) -> None:
        if self._writer is None or self._told.phase == "stopping":
            return
        self._tell(msgspec.structs.replace(self._told, phase="stopping"))
        self._in_turn(self._finish)

    def _finish(self) -> None:
        if self._writer is not None and self._told.phase == "stopping":
            self._untap()
            self._writer.stop()

    async def close(self) -> None:
        """Finish what is recorded, when the session ends; nothing is recorded after it."""
        self._is_closed = True
        writer, self._writer = self._writer, None
        self._untap()
        if writer is not None:
            writer.stop()
            await asyncio.to_thread(writer.join, _STOP_TIMEOUT_S)

    # -------------------------------------------------- what is recorded

    def saw_state(self, state: ViewState) -> None:
        """Take note that the state is another one."""
        if self._tap is not None and self._writer is not None:
            self._note_info(self._writer)
            self._writer.put_state(state)

    def saw_edits(self, edits: Sequence[OrderedEdit]) -> None:
        """Take note that annotations were changed."""
        self._note({"kind": "annotations", "edits": msgspec.to_builtins(edits)})

    def saw_palette(self, palette: Palette, idx: int) -> None:
        """Take note of colours of the user's, and by which number pictures name them."""
        self._note({"kind": "palette", "palette": msgspec.to_builtins(palette), "idx": idx})

    def saw_pointers(
        self, places: Collection[PointerPlace], people: Collection[SharedPerson]
    ) -> None:
        """Take note of where pointers are, and whose they are."""
        if self._tap is None:
            return
        named = {person.id: _named(person) for person in people}
        fresh = [who for key, who in named.items() if self._noted_people.get(key) != who]
        if fresh:
            self._noted_people |= named
            self._note({"kind": "people", "people": fresh})
        self._note({"kind": "pointers", "places": msgspec.to_builtins(list(places))})

    def saw_voice(self, spoken: Spoken) -> None:
        """Take what somebody said who agreed to it."""
        if self._tap is not None and self._writer is not None and not self._writer.is_behind:
            self._writer.put_voice(spoken)

    def saw_consent(self, person: dict[str, str], *, on: bool) -> None:
        """Take note from when on somebody's voice is recorded, or is not any more."""
        if self._noted_people.get(person["id"]) != person:
            self._noted_people[person["id"]] = person
            self._note({"kind": "people", "people": [person]})
        self._note({"kind": "voice", "who": person["id"], "on": on})

    def _note(self, event: dict[str, Any]) -> None:
        if self._tap is not None and self._writer is not None:
            self._writer.put_event(event)

    def _tap_in(self, writer: RecordingWriter) -> None:
        state, info = self._view()
        tap = self._tap = RecordingTap(writer, self._fanout, on_first=self._begun)
        writer.put_event(
            {
                "kind": "start",
                "format": 1,
                "version": __version__,
                "unix_s": time.time(),
                "volume": "" if info is None else info.name,
                "shape": None if info is None else list(info.shape),
            }
        )
        self._noted_info, self._noted_people = None, {}
        self._note_info(writer)
        for palette, idx in self._palettes():
            self.saw_palette(palette, idx)
        writer.put_state(state)
        edits = [PutItem(item) for item in self._items()]
        writer.put_event(
            {"kind": "annotations", "reset": True, "edits": msgspec.to_builtins(edits)}
        )
        # Who records and then moves the view finds in the film what was shown before: another state
        # would take this one's place at the worker, so nobody is told before it is drawn.
        self._waiting = asyncio.get_running_loop().call_later(FIRST_PICTURE_S, self._begun)
        self._fanout.add(tap, sets_pace=False)
        self._on_change()

    def _begun(self) -> None:
        """Tell that it runs: its first picture is there, or is not waited for any longer."""
        if self._waiting is None:
            return
        self._waiting.cancel()
        self._waiting = None
        if self._told.phase == "starting":
            self._tell(msgspec.structs.replace(self._told, phase="on"))

    def _note_info(self, writer: RecordingWriter) -> None:
        """Say what the volume is, once it is known: a player names slices and values by it."""
        _, info = self._view()
        if info is not None and info is not self._noted_info:
            self._noted_info = info
            writer.put_event({"kind": "info", "info": msgspec.to_builtins(info)})

    def _untap(self) -> None:
        tap, self._tap = self._tap, None
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if tap is not None:
            self._fanout.remove(tap)
            self._on_change()

    # -------------------------------------------------- telling

    def welcome(self, viewer: Viewer) -> None:
        """Tell somebody who comes whether a recording runs."""
        viewer.send(self._for(viewer, self._told))

    def attach_kernel(self) -> None:
        """Tell a kernel that came (again) what it may not have heard, and if a recording runs."""
        for status in told_again(self._told, self._refusal):
            self._tell_kernel(status)

    def _heard(self, number: int, told: Told) -> None:
        """Hear the thread of a writer, in the loop."""
        writer = self._writer
        if writer is None or number != self._n_begun:
            return
        was_starting = self._told.phase == "starting"
        if told.phase == "off":
            self._writer = None
            self._untap()
        elif was_starting and self._tap is None:
            self._tap_in(writer)
        phase: Phase = "off" if told.phase == "off" else "on"
        if phase == "on" and (self._told.phase == "stopping" or self._waiting is not None):
            phase = self._told.phase
        status = RecordingState(
            phase=phase,
            name=self._told.name,
            by=self._told.by,
            number=self._told.number,
            duration_s=told.duration_s,
            n_bytes=told.n_bytes,
        )
        if told.error is not None:
            status = _with(status, told.error)
            if number == self._wished_number and was_starting:
                self._refusal = status
        self._tell(status)

    def _tell(self, status: RecordingState) -> None:
        self._told = status
        for viewer in self._viewers():
            viewer.send(self._for(viewer, status))
        self._tell_kernel(status)

    def _tell_kernel(self, status: RecordingState) -> None:
        self._kernel.tell_recording(os.fspath(self._path), self._kernel_n, status)

    @staticmethod
    def _for(viewer: Viewer, status: RecordingState) -> RecordingState:
        return msgspec.structs.replace(status, may=viewer.role in _RECORDERS)


def _named(person: SharedPerson) -> dict[str, str]:
    return {"id": person.id, "name": person.name, "color": person.color}


def _with(status: RecordingState, error: BlustreamError) -> RecordingState:
    return msgspec.structs.replace(status, code=error.code, message=error.message, hint=error.hint)
