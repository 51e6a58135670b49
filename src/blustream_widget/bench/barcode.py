"""A volume whose slice k shows the number k, readable from pixels by a stranger."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

BITS = 16
"""Blocks across the slice: a 12-bit number and a 4-bit check."""
BAND = 8
"""The blocks fill the top 1 / BAND of the picture; below is texture, so that coding has work."""


def code_of(number: int) -> int:
    """12-bit number and 4 check bits, so that a half-drawn or blurred code is not taken for one."""
    number &= 0xFFF
    return (number << 4) | ((number ^ number >> 4 ^ number >> 8) & 15)


def barcode_volume(shape: tuple[int, int, int], seed: int = 7) -> npt.NDArray[np.float32]:
    """Layers with noise, and the code of k on top of slice k of axis 0.

    Parameters
    ----------
    shape : tuple of int
        (slices, columns, rows); columns a multiple of 16.

    Returns
    -------
    ndarray, `shape`, float32, -1 to 1
        Axis 1 runs across the screen, axis 2 down.
    """
    n, columns, rows = shape
    random = np.random.default_rng(seed)
    depth = np.arange(rows, dtype=np.float32)
    reflectivity = np.convolve(random.standard_normal(rows + 2 * columns), np.hanning(9), "same")
    volume = np.empty(shape, np.float32)
    across = np.arange(columns, dtype=np.float32)
    for k in range(n):
        fold = columns / 2 * (1 + np.sin(across / 90 + k / 60)) * 0.5
        at = depth[None, :] + fold[:, None]
        section = np.interp(at, np.arange(len(reflectivity)), reflectivity)
        section += 0.3 * random.standard_normal((columns, rows))
        volume[k] = np.clip(section / 3, -1, 1)
        bits = (code_of(k) >> np.arange(BITS - 1, -1, -1)) & 1
        blocks = np.repeat(bits * 2.0 - 1.0, columns // BITS).astype(np.float32)
        volume[k, : len(blocks), : rows // BAND] = blocks[:, None]
    return volume


def shown_number(pixels: npt.NDArray[np.uint8]) -> int | None:
    """Read the number of the slice that a picture shows.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, 3 or 4), uint8
        The whole slice fills the picture.

    Returns
    -------
    int or None
        None if there is no code, or a damaged one.
    """
    height, width = pixels.shape[:2]
    if width < BITS or height < BAND * 2:
        return None
    middles = [(2 * i + 1) * width // (2 * BITS) for i in range(BITS)]
    grey = pixels[height // BAND // 2, middles, :3].mean(axis=-1)
    code = int("".join("1" if value > 127 else "0" for value in grey), 2)
    return code >> 4 if code_of(code >> 4) == code else None


def write_barcode_volume(
    path: Path, shape: tuple[int, int, int] = (256, 640, 360), *, keep_array: bool = False
) -> None:
    """Write the volume as VDS: it is read brick by brick like any other.

    `keep_array` leaves it beside that as .npy too, for readers that know nothing else.
    """
    from blustream_widget.data.importer import import_volume

    source = path.with_suffix(".npy")
    np.save(source, barcode_volume(shape))
    try:
        import_volume(source, path)
    finally:
        if not keep_array:
            source.unlink()
