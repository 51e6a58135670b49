"""Films: pictures that were encoded live are decoded, and encoded anew at an even pace."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from blustream_widget.core.types import Picture
from blustream_widget.encode.reasons import reason_of
from blustream_widget.encode.sound import FilmSound, Samples
from blustream_widget.encode.stills import JpegEncoder
from blustream_widget.errors import RecordingError

Rgb: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FilmFormat:
    """A kind of file: FFmpeg's encoder and its settings, and frames a second if none are asked.

    `sound` is FFmpeg's encoder of a sound track, "" where there can be none.
    """

    codec: str
    pixel_format: str
    fps: int
    options: dict[str, str]
    container: dict[str, str] = field(default_factory=dict)
    sound: str = ""


FORMATS = {
    ".mp4": FilmFormat(
        "libx264",
        "yuv420p",
        30,
        {"preset": "veryfast", "crf": "20"},
        {"movflags": "+faststart"},
        sound="aac",
    ),
    ".webm": FilmFormat(
        "libvpx-vp9",
        "yuv420p",
        30,
        {"crf": "30", "b": "0", "deadline": "realtime", "cpu-used": "7", "row-mt": "1"},
        sound="libopus",
    ),
    ".gif": FilmFormat("gif", "pal8", 10, {}),
}
"""By the ending of the file's name."""

_GIF_MAX_PX = 800


def png_picture(png: bytes) -> Rgb:
    """Decode a PNG file to (height, width, 3) of red, green and blue.

    Raises
    ------
    RecordingError
        If it is damaged.
    """
    context = av.CodecContext.create("png", "r")
    assert isinstance(context, VideoCodecContext)
    try:
        frames = [*context.decode(av.Packet(png)), *context.decode(None)]
    except av.FFmpegError as exc:
        raise RecordingError("A picture at rest of the recording is damaged.") from exc
    if not frames:
        raise RecordingError("A picture at rest of the recording is damaged.")
    return np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8)


def jpeg_of(picture: Rgb) -> bytes:
    """Encode a picture as a JPEG file, for a page that decodes no video."""
    height, width = picture.shape[:2]
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuvj420p")
    pixels = np.ascontiguousarray(frame.to_ndarray(), np.uint8)
    return bytes(JpegEncoder().encode(Picture(pixels, "yuvj420p", width, height)))


class PictureDecoder:
    """Decodes H.264 access units with start codes, one picture each."""

    def __init__(self) -> None:
        self._context = av.CodecContext.create("h264", "r")
        # Each picture is given at once: none waits for others that come before it.
        self._context.thread_type = "SLICE"

    def decode(self, unit: bytes) -> Iterator[Rgb]:
        """Give the pictures of a unit as (height, width, 3) of red, green and blue.

        Raises
        ------
        RecordingError
            If the unit is damaged.
        """
        try:
            frames = self._context.decode(av.Packet(unit))
        except av.FFmpegError as exc:
            raise RecordingError(
                f"A picture of the recording is damaged: {reason_of(exc)}."
            ) from exc
        for frame in frames:
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


class FilmWriter:
    """Writes pictures at an even pace; those of another size than the first are fitted into it.

    Parameters
    ----------
    path : Path
    film : FilmFormat
    kind : str
        FFmpeg's name of the container: "mp4", "webm", "gif".
    fps : int
    is_heard : bool
        Whether it has a sound track too, where its format can.

    Raises
    ------
    RecordingError
        The file cannot be made, or this FFmpeg lacks the encoder.
    """

    def __init__(
        self, path: Path, film: FilmFormat, kind: str, fps: int, *, is_heard: bool = False
    ) -> None:
        self._film, self._fps = film, fps
        self._sound: FilmSound | None = None
        self._is_heard = is_heard and bool(film.sound)
        self._n = 0
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._palette: Callable[[av.VideoFrame], av.VideoFrame] | None = None
        try:
            self._container = av.open(str(path), "w", format=kind, options=film.container)
        except (av.FFmpegError, OSError) as exc:
            raise RecordingError(f"{path} cannot be made: {reason_of(exc)}.") from exc

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._container.close()

    def add(self, picture: Rgb) -> None:
        """Write the next picture, of shape (height, width, 3).

        Raises
        ------
        RecordingError
            The encoder fails, or the disk is full.
        """
        if self._stream is None:
            self._stream = self._begin(picture)
        frame = av.VideoFrame.from_ndarray(_fitted(picture, self._size), format="rgb24")
        frame.pts, frame.time_base = self._n, Fraction(1, self._fps)
        self._n += 1
        if self._palette is not None:
            frame = self._palette(frame)
        self._mux(frame)

    def add_sound(self, samples: Samples) -> None:
        """Write what is heard next, at 48 kHz, behind the picture of that time.

        Raises
        ------
        RecordingError
            The encoder fails, or the disk is full.
        """
        if self._sound is not None:
            with _written():
                self._sound.add(samples)

    def finish(self) -> None:
        """Write what the encoders have kept back."""
        self._mux(None)
        if self._sound is not None:
            with _written():
                self._sound.finish()

    def _begin(self, picture: Rgb) -> VideoStream:
        height, width = picture.shape[:2]
        is_gif = self._film.codec == "gif"
        scale = min(1.0, _GIF_MAX_PX / max(width, height)) if is_gif else 1.0
        # Chroma of half the size needs even sides.
        self._size = (int(width * scale) // 2 * 2, int(height * scale) // 2 * 2)
        try:
            stream = self._container.add_stream(self._film.codec, rate=self._fps)
        except UnknownCodecError as exc:
            raise RecordingError(
                f"{self._film.codec} cannot be used: {reason_of(exc)}.",
                hint="Export to another format: .mp4, .webm or .gif.",
            ) from exc
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self._size
        stream.pix_fmt = self._film.pixel_format
        stream.options = dict(self._film.options)
        stream.time_base = Fraction(1, self._fps)
        if is_gif:
            self._palette = _palette_filter(self._size, self._fps)
        if self._is_heard:
            self._sound = FilmSound(self._container, self._film.sound)
        return stream

    def _mux(self, frame: av.VideoFrame | None) -> None:
        if self._stream is None:
            return
        with _written():
            self._container.mux(self._stream.encode(frame))


@contextlib.contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except (av.FFmpegError, OSError) as exc:
        raise RecordingError(f"The film was not written: {reason_of(exc)}.") from exc


def _palette_filter(size: tuple[int, int], fps: int) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Make the filter that chooses 256 colours for each picture: colour maps have more in all."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=size[0], height=size[1], format=VideoFormat("rgb24"), time_base=Fraction(1, fps)
    )
    split = graph.add("split")
    generate = graph.add("palettegen", "stats_mode=single")
    use = graph.add("paletteuse", "new=1:dither=none")
    sink: Any = graph.add("buffersink")  # Any: PyAV's stubs know no filters by name
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(generate, 1, 0)
    generate.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()

    def with_palette(frame: av.VideoFrame) -> av.VideoFrame:
        graph.push(frame)
        made = graph.pull()
        assert isinstance(made, av.VideoFrame)
        return made

    return with_palette


def _fitted(picture: Rgb, size: tuple[int, int]) -> Rgb:
    """Fit a picture into (width, height) as a whole, with black beside it."""
    width, height = size
    own_height, own_width = picture.shape[:2]
    if (own_width, own_height) == size:
        return np.ascontiguousarray(picture)
    scale = min(width / own_width, height / own_height)
    inner = (max(1, round(own_width * scale)), max(1, round(own_height * scale)))
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    scaled = frame.reformat(width=inner[0], height=inner[1]).to_ndarray(format="rgb24")
    fitted = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    fitted[top : top + inner[1], left : left + inner[0]] = scaled
    return fitted
