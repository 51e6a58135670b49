"""Films out of pictures that were encoded already: decoding them again."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
import numpy.typing as npt

from blustream_widget.encode.h264 import reason_of
from blustream_widget.errors import RecordingError


class PictureDecoder:
    """Decodes H.264 access units with start codes, one picture each."""

    def __init__(self) -> None:
        self._context = av.CodecContext.create("h264", "r")
        # Each picture is given at once: none waits for others that come before it.
        self._context.thread_type = "SLICE"

    def decode(self, unit: bytes) -> Iterator[npt.NDArray[np.uint8]]:
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
