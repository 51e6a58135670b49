"""A recording on a notebook's page: gives the page what it asks for, within bounds."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anywidget
import msgspec
import numpy as np
import traitlets as t

from blustream_widget import front_end
from blustream_widget.core.replay_messages import MAX_CHAPTERS
from blustream_widget.errors import MissingDependencyError, RecordingError
from blustream_widget.film_export import ENDINGS, FilmExport
from blustream_widget.page_questions import Answer, VoiceAnswers, answered, read_part, whole
from blustream_widget.recording.avc import to_annexb
from blustream_widget.recording.boxes import CLOCK_HZ, split_headers
from blustream_widget.source_arg import checked_height, css_layout

if TYPE_CHECKING:
    from blustream_widget.encode.films import PictureDecoder, Rgb
    from blustream_widget.recording.index import HeadersAt, RecordingIndex
    from blustream_widget.recordings import Recording

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Of the pictures of one answer; a single one may be larger, up to `MAX_PICTURE_BYTES`."""
MAX_PICTURES = 256
"""Of one answer."""
MAX_TIMES, MAX_EVENT_BYTES = 50_000, 1_000_000
"""Of one answer about what is in the file; the page asks for the rest."""
_KEY = 1 << 31


class RecordingPlayer(anywidget.AnyWidget):
    """Plays a recording on the notebook's page; `Recording.play` makes it.

    The page asks with messages of kind "recording", and each is answered alone: `index` (when the
    pictures are, what happened, chapters), `pictures`, `still`, `jpeg` where the browser decodes
    no video, `voices` (what is said from one time to another), and `film`, `film-stands`,
    `film-cancel`: a film beside the recording, and how far it is. Nothing is read that was not
    asked for.

    Parameters
    ----------
    recording : Recording
    height : int
        Of the cell's output, in CSS pixels, 240 to 4000.
    layout : ipywidgets.Layout or dict, optional
        CSS of the cell's output.

    Raises
    ------
    RecordingError
        The file does not say what its pictures show.
    ConfigError
        A height that cannot be.
    """

    _esm = front_end.module_of_viewers()

    height = t.Int(480, help="Of the cell's output, in CSS pixels.").tag(sync=True)
    _recording = t.Unicode("", help="The file's name; tells the page what this is.").tag(sync=True)

    def __init__(self, recording: Recording, *, height: int = 480, layout: Any = None) -> None:
        if not front_end.BUNDLE.is_file():
            raise MissingDependencyError(
                "The front end of blustream_widget was not built.",
                hint="Install a released wheel, or run npm ci && npm run build in the folder js.",
            )
        index = recording.index
        if not index.headers or not any(event["kind"] == "info" for event in index.events):
            raise RecordingError(
                f"{recording.path.name} does not say what its pictures show.",
                hint="An earlier version made it; export() and frames() work.",
            )
        self._source = recording
        self._films = FilmExport(recording.path)
        self._voices = VoiceAnswers(recording)
        self._decoding: tuple[PictureDecoder, int] | None = None  # and the picture it gave last
        super().__init__(
            height=checked_height(height, low=240, high=4000),
            _recording=recording.path.name,
            **css_layout(layout),
        )
        self.on_msg(self._asked)

    def _asked(self, _: object, content: Any, __: object) -> None:
        """Answer a page; what is no question of ours is left alone."""
        if not isinstance(content, dict):
            return
        if content.get("kind") == "front-end":
            self.send({"kind": "front-end", "digest": front_end.digest()}, [front_end.bundle()])
            return
        answer = answered(content, self._answer)
        if answer is not None:
            self.send(*answer)

    def _answer(self, content: dict[str, Any]) -> Answer:
        match content.get("ask"):
            case "index":
                places = [whole(content, key) for key in ("samples", "stills", "events")]
                return self._index(*places)
            case "pictures":
                return self._pictures(whole(content, "first"), whole(content, "last"))
            case "still":
                return self._still(whole(content, "at"))
            case "voices":
                return self._voices.answer(content)
            case "jpeg":
                return self._jpeg(whole(content, "at"))
            case "film" | "film-stands" | "film-cancel" as what:
                return self._film(what, content), []
        raise RecordingError("The page asked for something that is not known.")

    # -------------------------------------------------- what is in the file

    def _index(self, samples: int, stills: int, events: int) -> Answer:
        """Give what lies behind the places up to which the page knows it."""
        recording = self._source
        recording.refresh()
        index = recording.index
        pictures = index.samples[samples : samples + MAX_TIMES]
        rests = index.stills[stills : stills + MAX_TIMES]
        happened = list(_up_to(index.events[events:]))
        answer = {
            "duration_s": index.duration_s,
            "n_samples": len(index.samples),
            "n_stills": len(index.stills),
            "n_events": len(index.events),
            "is_finished": recording.is_finished,
            "is_growing": recording.is_growing,
            "speakers": self._voices.speakers,
            "chapters": [[c.t, c.title] for c in recording.chapters[:MAX_CHAPTERS]],
        }
        sizes = [s.n_bytes | (_KEY if s.is_keyframe else 0) for s in pictures]
        return answer, [
            _times([s.time_90k for s in pictures]),
            np.array(sizes, "<u4").tobytes(),
            _times([s.time_90k for s in rests]),
            b"[" + b",".join(happened) + b"]",
        ]

    # -------------------------------------------------- pictures

    def _pictures(self, first: int, last: int) -> Answer:
        """As many of these as an answer may hold, at least one: bytes of the file, headers."""
        index = self._source.index
        if not 0 <= first <= last < len(index.samples):
            raise RecordingError(f"There are no pictures {first} to {last}.")
        samples = index.samples[first : min(last + 1, first + MAX_PICTURES)]
        totals = itertools.accumulate(sample.n_bytes for sample in samples)
        n_fitting = sum(total <= MAX_ANSWER_BYTES for total in totals)
        samples = samples[: max(n_fitting, 1)]
        data = [self._read(sample.offset, sample.n_bytes) for sample in samples]
        headers = self._headers(index, first, len(samples))
        answer = {"first": first, "header_bytes": [len(header) for header in headers]}
        return answer, [b"".join(data), b"".join(headers)]

    def _headers(self, index: RecordingIndex, first: int, n: int) -> list[bytes]:
        """Headers of pictures; empty where the file has none."""
        found = [b""] * n
        for part in _touching(index.headers, first, n):
            for i, header in enumerate(split_headers(self._read(part.offset, part.n_bytes))):
                place = part.first + i - first
                if 0 <= place < n and i < part.n_pictures:
                    found[place] = header
        return found

    def _still(self, at: int) -> Answer:
        stills = self._source.index.stills
        if not 0 <= at < len(stills):
            raise RecordingError(f"There is no picture at rest number {at}.")
        still = stills[at]
        png = self._read(still.offset, still.n_bytes)
        return {"header_bytes": [len(still.header)]}, [png, still.header]

    def _jpeg(self, at: int) -> Answer:
        from blustream_widget.encode.films import jpeg_of

        index = self._source.index
        if not 0 <= at < len(index.samples):
            raise RecordingError(f"There is no picture {at}.")
        picture = self._decoded(index, at)
        (header,) = self._headers(index, at, 1)
        return {"header_bytes": [len(header)]}, [jpeg_of(picture), header]

    def _film(self, what: str, content: dict[str, Any]) -> dict[str, Any]:
        if what == "film":
            self._source.refresh()
            ending = whole(content, "ending")
            self._films.begin(self._source.index, ENDINGS[min(ending, len(ENDINGS) - 1)])
        elif what == "film-cancel":
            self._films.cancel()
        return self._films.told()

    def close(self) -> None:
        """End the player; a film that is being written is given up."""
        if hasattr(
            self, "_films"
        ):  # an argument was wrong, and ipywidgets closes what is half made
            self._films.close()
        super().close()

    def _decoded(self, index: RecordingIndex, at: int) -> Rgb:
        """Decode from the keyframe before, or from where the last question left off."""
        from blustream_widget.encode.films import PictureDecoder

        key = next((i for i in range(at, -1, -1) if index.samples[i].is_keyframe), 0)
        decoder, begin = PictureDecoder(), key
        if self._decoding is not None and key <= self._decoding[1] < at:
            decoder, begin = self._decoding[0], self._decoding[1] + 1
        self._decoding = None  # a damaged picture leaves the decoder nowhere
        picture: Rgb | None = None
        for sample in index.samples[begin : at + 1]:
            for decoded in decoder.decode(to_annexb(self._read(sample.offset, sample.n_bytes))):
                picture = decoded
        if picture is None:
            raise RecordingError("A picture of the recording is damaged.")
        self._decoding = decoder, at
        return picture

    def _read(self, offset: int, n_bytes: int) -> bytes:
        return read_part(self._source.path, offset, n_bytes)


def _times(times_90k: list[int]) -> bytes:
    return (np.array(times_90k, "<f8") / CLOCK_HZ).astype("<f8").tobytes()


def _up_to(events: list[dict[str, Any]]) -> Iterator[bytes]:
    """Encode events, as many as an answer may hold, at least one."""
    total = 0
    for event in events:
        line = msgspec.json.encode(event)
        total += len(line)
        if total > MAX_EVENT_BYTES and total > len(line):
            return
        yield line


def _touching(parts: list[HeadersAt], first: int, n: int) -> Iterator[HeadersAt]:
    """Give those that speak of some of n pictures."""
    for part in parts:
        if part.first >= first + n:
            return
        if part.first + part.n_pictures > first:
            yield part


__all__ = ["RecordingPlayer"]
