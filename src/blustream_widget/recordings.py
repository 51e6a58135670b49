"""A recording that was made: what is in it, and its pictures."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blustream_widget.core.annotation import ANNOTATION_KINDS
from blustream_widget.core.voice_messages import PACKET_MS
from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.progress import seen_progress
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.index import RecordingIndex, read_index

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from blustream_widget.player import RecordingPlayer
    from blustream_widget.replay import Replay
    from blustream_widget.viewer import Viewer

_GROWS_S = 10.0


@dataclass(frozen=True, slots=True)
class Chapter:
    """A place in a recording: where an annotation was added.

    Parameters
    ----------
    t : float
        Seconds since the recording's first picture.
    title : str
        The annotation's label, or what it is.
    annotation : str
        Its id.
    """

    t: float
    title: str
    annotation: str = ""


@dataclass(frozen=True, slots=True)
class RecordedVoice:
    """Somebody whose voice is in a recording, as they agreed.

    Parameters
    ----------
    id, name : str
    recorded_s : float
        How long it was recorded: what was muted does not count.
    """

    id: str
    name: str
    recorded_s: float


class Recording:
    """A file that `viewer.record()` wrote; also one that was cut off, up to its last second.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    RecordingError
        It cannot be read, is no recording, or has no pictures.

    Examples
    --------
    >>> recording = Recording("survey-20260101-120000.mp4")   # doctest: +SKIP
    >>> recording.duration_s, [c.title for c in recording.chapters]   # doctest: +SKIP
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._index = read_index(self.path)
        self._player: RecordingPlayer | None = None

    def __repr__(self) -> str:
        cut = "" if self.is_finished else ", cut off"
        return (
            f"<Recording {self.path.name}: {self.duration_s:.1f} s, {self.n_pictures} pictures, "
            f"{len(self.chapters)} chapters{cut}>"
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Show a player where a cell ends with the recording; notebooks call this."""
        if self._player is None or self._player.comm is None:
            try:
                self._player = self.play()
            except BlustreamError as exc:
                return {"text/plain": f"{self!r}\n{exc}"}
        return self._player._repr_mimebundle_(**options)

    @property
    def index(self) -> RecordingIndex:
        """Where everything lies in the file; for players."""
        return self._index

    @property
    def duration_s(self) -> float:
        """How long it plays, in seconds."""
        return self._index.duration_s

    @property
    def n_pictures(self) -> int:
        """Pictures of the video."""
        return len(self._index.samples)

    @property
    def is_finished(self) -> bool:
        """Whether it was ended; False: it was cut off, or is still being made."""
        return self._index.is_finished

    @property
    def is_growing(self) -> bool:
        """Whether it is still being made: a recording is written to once a second."""
        with contextlib.suppress(OSError):
            return not self.is_finished and time.time() - self.path.stat().st_mtime < _GROWS_S
        return False

    @property
    def volume(self) -> str:
        """Name of the volume that was shown."""
        return str(self._start().get("volume", ""))

    @property
    def began(self) -> datetime | None:
        """When it began, in UTC; None where the file does not say."""
        unix_s = self._start().get("unix_s")
        return None if unix_s is None else datetime.fromtimestamp(unix_s, UTC)

    @property
    def timeline(self) -> tuple[dict[str, Any], ...]:
        """What happened: `t` in seconds, `kind`, and what belongs to it.

        "start" says what was recorded, "state" has under `set` the fields of the view that are
        other from then on (all of them at first), "annotations" has `edits` as the protocol's
        (`reset`: there were no others), "palette" a colour map of the user's, "people" names those
        whose pointers are in "pointers" (voxel indices; None: over no picture), "voice" says from
        when on `who` agreed to be heard (`on`), and "gap" means that the disk was too slow for some
        pictures.
        """
        return tuple(self._index.events)

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The beginning, and each place where an annotation was added."""
        found, known = [Chapter(0.0, "Beginning")], set[str]()
        for event in self._index.events:
            if event["kind"] != "annotations":
                continue
            for edit in event["edits"]:
                key = edit["item"]["id"] if edit["op"] == "put" else edit["id"]
                if edit["op"] == "remove":
                    known.discard(key)
                elif edit["op"] == "put" and key not in known:
                    known.add(key)
                    if not event.get("reset"):
                        found.append(Chapter(event["t"], _title(edit["item"]), key))
        return tuple(found)

    @property
    def voices(self) -> tuple[RecordedVoice, ...]:
        """Those in the call who agreed to be recorded, and spoke."""
        voices = self._index.voices
        return tuple(
            RecordedVoice(
                who,
                str(person["name"]),
                sum(v.n_packets for v in voices if v.who == who) * PACKET_MS / 1000,
            )
            for who, person in self._index.speakers.items()
        )

    def sound(
        self, who: str | None = None, *, start_s: float = 0.0, end_s: float | None = None
    ) -> npt.NDArray[np.float32]:
        """Decode what was said, on the clock of the pictures.

        Parameters
        ----------
        who : str, optional
            Id or name of one person of `voices`; default all at once.
        start_s, end_s : float
            From when until when; default all of it: 11 MB a minute.

        Returns
        -------
        ndarray, shape (n_samples,), float32
            48 000 samples a second, -1 to 1; 0 where nobody speaks.

        Raises
        ------
        RecordingError
            Nobody of that name is in it, or several are; or the times cannot be.
        """
        from blustream_widget.recording.mix import VoiceMix

        only = None if who is None else self._speaker(who)
        end_s = self.duration_s if end_s is None else end_s
        if not 0 <= start_s <= end_s:
            raise RecordingError(f"There is nothing from {start_s} to {end_s} s.")
        with VoiceMix(self.path, self._index, only=only, start_s=start_s) as mix:
            return mix.until(min(end_s, self.duration_s))

    def _speaker(self, who: str) -> str:
        voices = self.voices
        found = [v.id for v in voices if v.id == who] or [v.id for v in voices if v.name == who]
        if not found:
            names = ", ".join(voice.name for voice in self.voices) or "nobody"
            raise RecordingError(f"The voice of {who} is not in it.", hint=f"Recorded: {names}.")
        if len(found) > 1:
            raise RecordingError(
                f"{len(found)} people of the name {who} are in it.",
                hint=f"Give an id instead: {', '.join(found)}.",
            )
        return found[0]

    def state_at(self, t: float) -> dict[str, Any]:
        """Fields of the view at a time in seconds, as the timeline has them."""
        fields: dict[str, Any] = {}
        for event in self._index.events:
            if event["t"] > t:
                break
            if event["kind"] == "state":
                fields |= event["set"]
        return fields

    def frames(self) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
        """Decode the video from its beginning.

        Yields
        ------
        float
            Seconds since the first picture.
        ndarray, shape (height, width, 3), uint8
            Red, green, blue. The size changes where the pane's did.

        Raises
        ------
        RecordingError
            If a picture is damaged.
        """
        from blustream_widget.encode.films import PictureDecoder
        from blustream_widget.recording.avc import to_annexb

        decoder = PictureDecoder()
        with self.path.open("rb") as file:
            for sample in self._index.samples:
                file.seek(sample.offset)
                unit = to_annexb(file.read(sample.n_bytes))
                for picture in decoder.decode(unit):
                    yield sample.time_90k / CLOCK_HZ, picture

    def export(
        self,
        path: str | os.PathLike[str],
        *,
        fps: int | None = None,
        overwrite: bool = False,
        on_progress: Callable[[float], bool | None] | None = None,
    ) -> Path:
        """Write a film for any player: an even pace, one size, exact pictures where it rests.

        Voices that are in the recording are mixed into its sound track.

        Parameters
        ----------
        path : str or path
            Its ending says the format: .mp4 (H.264, AAC), .webm (VP9, Opus) or .gif (at most 800
            pixels, without sound).
        fps : int, optional
            Frames a second, 1 to 60; default 30, for GIF 10.
        overwrite : bool
            Take the place of a file that is there.
        on_progress : callable, optional
            Gets the share that is done, 0 to 1, after each frame; False from it cancels. Without
            it a bar shows that, below the cell or in the terminal.

        Returns
        -------
        Path
            The file, which has this name only when it is whole.

        Raises
        ------
        RecordingExistsError, RecordingCancelledError, RecordingError
            There is such a file; `on_progress` said so; it cannot be written, or this FFmpeg has
            no such encoder.
        """
        from blustream_widget.recording.export import export

        target = Path(path).expanduser().absolute()
        with contextlib.ExitStack() as stack:
            if on_progress is None:
                on_progress = stack.enter_context(seen_progress(f"Writes {target.name}"))
            export(
                self.path,
                self._index,
                target,
                fps=fps,
                overwrite=overwrite,
                on_progress=on_progress,
            )
        return target

    def play(self, *, height: int = 480, layout: Any = None) -> RecordingPlayer:
        """Make a player of the recording for the notebook's page.

        A recording that a cell ends with shows one by itself.

        Parameters
        ----------
        height : int
            Of the cell's output, in CSS pixels.
        layout : ipywidgets.Layout or dict, optional
            CSS of the cell's output.

        Returns
        -------
        RecordingPlayer
            A widget: let a cell end with it, or `display` it.

        Raises
        ------
        RecordingError
            It was made by a version that did not write what a player needs.
        """
        from blustream_widget.player import RecordingPlayer

        return RecordingPlayer(self, height=height, layout=layout)

    def refresh(self) -> bool:
        """Take in what has been recorded since it was opened; False if that is nothing.

        Raises
        ------
        RecordingError
            It cannot be read any more.
        """
        if self.is_finished:
            return False
        before = self._index
        self._index = read_index(self.path)
        return before != self._index

    def replay(
        self,
        viewer: Viewer,
        *,
        speed: float = 1.0,
        annotations: bool = True,
        voices: bool = True,
    ) -> Replay:
        """Let what happened happen again in a viewer, which draws it anew from the data.

        Parameters
        ----------
        viewer : Viewer
            Of the same volume, or of another one: what does not fit is left out.
        speed : float
            0.05 to 100 times that of the recording.
        annotations : bool
            Whether they are put into the viewer too, as steps that `undo` takes back.
        voices : bool
            Whether all who look hear the recorded voices, guests too, at 0.5 to 2 times the speed.

        Returns
        -------
        Replay
            With `seek(t)`, `pause()`, `resume()`, `stop()`, `wait()`, `speed`, `t`, `is_running`.
            The page has a bar for it. It does not wait for its end. A replay that runs in the
            viewer already ends.

        Raises
        ------
        RecordingError
            The speed cannot be.
        """
        from blustream_widget.replay import Replay

        return Replay(self, viewer, speed=speed, annotations=annotations, voices=voices)

    def still_at(self, t: float) -> bytes | None:
        """PNG of the view at rest at a time in seconds; None while it moved, or none was there."""
        time_90k = t * CLOCK_HZ
        moved = max((s.time_90k for s in self._index.samples if s.time_90k <= time_90k), default=0)
        stills = [s for s in self._index.stills if moved <= s.time_90k <= time_90k]
        if not stills:
            return None
        with self.path.open("rb") as file:
            file.seek(stills[-1].offset)
            return file.read(stills[-1].n_bytes)

    def _start(self) -> dict[str, Any]:
        starts = (event for event in self._index.events if event["kind"] == "start")
        return next(starts, {})


def _title(item: dict[str, Any]) -> str:
    label = str(item.get("label", "")) or str(item.get("text", ""))
    kind = str(item.get("kind", ""))
    return label or (kind.capitalize() if kind in ANNOTATION_KINDS else "Annotation")


__all__ = ["Chapter", "RecordedVoice", "Recording", "RecordingError"]
