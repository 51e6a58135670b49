"""A recording as a film for any player: even pace, one size, exact pictures at rest, voices."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, TypeAlias

from blustream_widget.encode.films import (
    FORMATS,
    FilmWriter,
    PictureDecoder,
    Rgb,
    png_picture,
)
from blustream_widget.errors import (
    RecordingCancelledError,
    RecordingError,
    RecordingExistsError,
)
from blustream_widget.recording.avc import to_annexb
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.index import RecordingIndex
from blustream_widget.recording.mix import VoiceMix

OnProgress: TypeAlias = Callable[[float], bool | None]
"""Gets the share that is done, 0 to 1; gives back False to cancel."""

MAX_FPS = 60


def export(
    source: Path,
    index: RecordingIndex,
    target: Path,
    *,
    fps: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> None:
    """Write a film; a file under its name is there when it is whole, and not before.

    Parameters
    ----------
    source : Path
        The recording's file.
    index : RecordingIndex
        Of that file.
    target : Path
        Its ending says the format: .mp4, .webm, .gif.
    fps : int, optional
        Frames a second, 1 to 60; default 30, for GIF 10.
    overwrite : bool
    on_progress : callable, optional

    Raises
    ------
    RecordingExistsError, RecordingCancelledError, RecordingError
    """
    film = FORMATS.get(target.suffix.lower())
    if film is None:
        raise RecordingError(
            f"{target.name} cannot be written: its ending says no format.",
            hint=f"Known: {', '.join(FORMATS)}.",
        )
    if fps is not None and not 1 <= fps <= MAX_FPS:
        raise RecordingError(f"fps={fps} cannot be.", hint=f"Give 1 to {MAX_FPS}.")
    if target.exists() and not overwrite:
        raise RecordingExistsError(
            f"There is a file {target} already.", hint="Give another path, or overwrite=True."
        )
    pace = fps or film.fps
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    n_frames = max(1, round(index.duration_s * pace))
    try:
        kind, is_heard = target.suffix[1:].lower(), bool(index.voices and film.sound)
        with (
            FilmWriter(unfinished, film, kind, pace, is_heard=is_heard) as writer,
            VoiceMix(source, index) as voices,
        ):
            for n, picture in enumerate(_evenly(source, index, n_frames, pace), 1):
                writer.add(picture)
                if is_heard:
                    writer.add_sound(voices.until(Fraction(n, pace)))
                if on_progress is not None and on_progress(n / n_frames) is False:
                    raise RecordingCancelledError("The export was cancelled.")
            writer.finish()
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _evenly(source: Path, index: RecordingIndex, n_frames: int, fps: int) -> Iterator[Rgb]:
    """Give the picture that is shown at each tick: the newest that has come until then."""
    with source.open("rb") as file:
        coming = _shown(file, index)
        picture = next(coming)[1]
        upcoming = next(coming, None)
        for n in range(n_frames):
            while upcoming is not None and upcoming[0] * fps <= n * CLOCK_HZ:
                picture = upcoming[1]
                upcoming = next(coming, None)
            yield picture


def _shown(file: BinaryIO, index: RecordingIndex) -> Iterator[tuple[int, Rgb]]:
    """Give all pictures with their times: the video's, and between them those at rest."""
    decoder = PictureDecoder()
    stills = iter(index.stills)
    still = next(stills, None)
    for sample in index.samples:
        while still is not None and still.time_90k < sample.time_90k:
            file.seek(still.offset)
            yield still.time_90k, png_picture(file.read(still.n_bytes))
            still = next(stills, None)
        file.seek(sample.offset)
        for picture in decoder.decode(to_annexb(file.read(sample.n_bytes))):
            yield sample.time_90k, picture
    while still is not None:
        file.seek(still.offset)
        yield still.time_90k, png_picture(file.read(still.n_bytes))
        still = next(stills, None)
