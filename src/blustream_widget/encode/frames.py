"""A drawn picture as a frame of FFmpeg's, without a copy."""

from __future__ import annotations

import av

from blustream_widget.core.types import Picture


def frame_of(picture: Picture) -> av.VideoFrame:
    """Lay a frame over the pixels of a 4:2:0 picture, which must stay as they are while it is used.

    Notes
    -----
    Plane by plane. PyAV's `from_numpy_buffer` takes all three at once, but makes the height a
    multiple of four: of 702 rows it takes 700, looks for the colours eight and ten rows above
    their place, and the encoder stretches what it got to its own size again.
    """
    width, height = picture.width_px, picture.height_px
    chroma = picture.pixels[height:].reshape(2, height // 2, width // 2)
    planes = (picture.pixels[:height], chroma[0], chroma[1])
    return av.VideoFrame.from_dlpack(planes, picture.pixel_format, width, height)
