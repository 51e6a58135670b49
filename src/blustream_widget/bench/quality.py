"""How far a decoded picture is from what was drawn, on luma."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Luma = npt.NDArray[np.uint8]

_BLOCK = 8


def psnr_db(drawn: Luma, decoded: Luma, *, peak: float) -> float:
    """Peak signal to noise ratio; infinite where nothing differs.

    Parameters
    ----------
    drawn, decoded : ndarray, shape (height, width), uint8
    peak : float
        Range of luma: 219 for video, 255 for JPEG.
    """
    difference = drawn.astype(np.int16) - decoded
    error = float(np.mean(np.square(difference, dtype=np.float32)))
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def ssim(drawn: Luma, decoded: Luma, *, peak: float) -> float:
    """Mean structural similarity of blocks of 8 x 8 pixels side by side; 1 where nothing differs.

    References
    ----------
    Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE
    Transactions on Image Processing 13 (2004), equation 13; uniform window.
    """
    x, y = _blocks(drawn), _blocks(decoded)
    mean_x, mean_y = x.mean(axis=1), y.mean(axis=1)
    x -= mean_x[:, None]
    y -= mean_y[:, None]
    variance_x, variance_y = (x * x).mean(axis=1), (y * y).mean(axis=1)
    covariance = (x * y).mean(axis=1)
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    similar = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similar /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return float(similar.mean())


def _blocks(luma: Luma) -> npt.NDArray[np.float32]:
    """Pixels of each whole block, shape (n_blocks, 64)."""
    rows, columns = luma.shape[0] // _BLOCK, luma.shape[1] // _BLOCK
    whole = luma[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    apart = whole.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    return apart.reshape(rows * columns, _BLOCK * _BLOCK)
