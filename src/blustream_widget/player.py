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
from blustream_widget.errors import BlustreamError, MissingDependencyError, RecordingError
from blustream_widget.film_export import ENDINGS, FilmExport
from blustream_widget.recording.avc import to_annexb
from blustream_widget.recording.boxes import CLOCK_HZ, split_headers
from blustream_widget.recording.voices import runs_between
from blustream_widget.source_arg import checked_height, css_layout

if TYPE_CHECKING:
    from blustream_widget.encode.films import PictureDecoder, Rgb
    from blustream_widget.recording.index import HeadersAt, RecordingIndex
    from blustream_widget.recording.voices import Placed
    from blustream_widget.recordings import Recording

logger = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Of the pictures of one answer; a single one may be larger, up to `MAX_PICTURE_BYTES`."""
MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_PICTURES = 256
"""Of one answer."""
MAX_TIMES, MAX_EVENT_BYTES, MAX_CHAPTERS = 50_000, 1_000_000, 1000
"""Of one answer about what is in the file; the page asks for the rest."""
_MAX_ID = 64
_KEY = 1 << 31
MAX_HEARD_MS = 10_000
"""Of one answer about voices."""
_LEAD_MS = 100
"""What a decoder needs in front of what is wanted, to be right there."""
_TICKS_A_MS = CLOCK_HZ // 1000


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
        self._voices_of: tuple[RecordingIndex, list[Placed]] | None = None
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
        n = content.get("n")
        if content.get("kind") != "recording" or not isinstance(n, str) or len(n) > _MAX_ID:
            return
        head = {"kind": "recording", "n": n}
        try:
            answer, buffers = self._answer(content)
        except BlustreamError as exc:
            error = {"code": exc.code, "message": exc.message, "hint": exc.hint}
            self.send({**head, "error": error})
            return
        self.send({**head, **answer}, buffers)

    def _answer(self, content: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        match content.get("ask"):
            case "index":
                places = [_whole(content, key) for key in ("samples", "stills", "events")]
                return self._index(*places)
            case "pictures":
                return self._pictures(_whole(content, "first"), _whole(content, "last"))
            case "still":
                return self._still(_whole(content, "at"))
            case "voices":
                return self._voices(_whole(content, "from"), _whole(content, "until"))
            case "jpeg":
                return self._jpeg(_whole(content, "at"))
            case "film" | "film-stands" | "film-cancel" as what:
                return self._film(what, content), []
        raise RecordingError("The page asked for something that is not known.")

    # -------------------------------------------------- what is in the file

    def _index(self, samples: int, stills: int, events: int) -> tuple[dict[str, Any], list[bytes]]:
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
            "speakers": [[who["id"], who["name"], who["color"]] for who in index.speakers.values()],
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

    def _pictures(self, first: int, last: int) -> tuple[dict[str, Any], list[bytes]]:
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

    def _still(self, at: int) -> tuple[dict[str, Any], list[bytes]]:
        stills = self._source.index.stills
        if not 0 <= at < len(stills):
            raise RecordingError(f"There is no picture at rest number {at}.")
        still = stills[at]
        png = self._read(still.offset, still.n_bytes)
        return {"header_bytes": [len(still.header)]}, [png, still.header]

    def _jpeg(self, at: int) -> tuple[dict[str, Any], list[bytes]]:
        from blustream_widget.encode.films import jpeg_of

        index = self._source.index
        if not 0 <= at < len(index.samples):
            raise RecordingError(f"There is no picture {at}.")
        picture = self._decoded(index, at)
        (header,) = self._headers(index, at, 1)
        return {"header_bytes": [len(header)]}, [jpeg_of(picture), header]

    def _voices(self, from_ms: int, until_ms: int) -> tuple[dict[str, Any], list[bytes]]:
        """Give what is said between two times, and just before."""
        if not from_ms < until_ms <= from_ms + MAX_HEARD_MS:
            raise RecordingError(f"There is no sound from {from_ms} to {until_ms} ms.")
        begin, end = (from_ms - _LEAD_MS) * _TICKS_A_MS, until_ms * _TICKS_A_MS
        placed = self._placed(self._source.index)
        runs = runs_between(placed, begin, end, lambda at: self._read(at.offset, at.n_bytes))
        told = [
            {"who": run.who, "at": run.start_90k / CLOCK_HZ, "bytes": [*map(len, run.packets)]}
            for run in runs
        ]
        return {"runs": told}, [b"".join(packet for run in runs for packet in run.packets)]

    def _placed(self, index: RecordingIndex) -> list[Placed]:
        """When what was said was said; the same list as long as the file is the same."""
        if self._voices_of is None or self._voices_of[0] is not index:
            self._voices_of = index, index.placed_voices
        return self._voices_of[1]

    def _film(self, what: str, content: dict[str, Any]) -> dict[str, Any]:
        if what == "film":
            self._source.refresh()
            ending = _whole(content, "ending")
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
        if n_bytes > MAX_PICTURE_BYTES:
            raise RecordingError("A picture of the recording is too large to be sent.")
        path = self._source.path
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(n_bytes)
        except OSError as exc:
            raise RecordingError(
                f"The recording {path.name} cannot be read: {exc.strerror}.",
                hint="Was it moved or removed? Open it again from where it is.",
            ) from exc
        if len(data) < n_bytes:
            raise RecordingError(
                f"The recording {path.name} is another one now.", hint="Run the cell again."
            )
        return data


def _whole(content: dict[str, Any], key: str) -> int:
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RecordingError(f"The page asked with {key} that is no number.")
    return value


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
