"""The volume of the latency benchmark shows each slice's number."""

from __future__ import annotations

import numpy as np

from blustream_widget.bench.barcode import BAND, BITS, barcode_volume, code_of, shown_number


def read(section: np.ndarray) -> int:
    """Slice number from a section (columns, rows), as the page reads it from pixels."""
    columns, rows = section.shape
    block = columns // BITS
    middles = section[block // 2 :: block, rows // BAND // 2][:BITS]
    return int("".join("1" if value > 0 else "0" for value in middles), 2)


def test_slice_k_shows_k() -> None:
    volume = barcode_volume((5, 64, 32))
    for k in range(5):
        code = read(volume[k])
        assert code == code_of(k)
        assert code >> 4 == k


def test_a_single_wrong_block_is_noticed() -> None:
    codes = {code_of(k) for k in range(4096)}
    assert len(codes) == 4096
    for k in (0, 1, 77, 4095):
        assert all(code_of(k) ^ (1 << bit) not in codes for bit in range(4))


def test_below_the_code_there_is_texture_within_the_range() -> None:
    volume = barcode_volume((2, 64, 32))
    texture = volume[:, :, 32 // BAND :]
    assert texture.std() > 0.1
    assert np.abs(volume).max() <= 1.0


def test_the_number_is_read_from_a_scaled_picture_and_not_from_noise() -> None:
    section = barcode_volume((4, 64, 32))[3]
    grey = np.uint8((section.T + 1) * 127.5)
    picture = np.repeat(np.repeat(grey, 5, axis=0), 7, axis=1)[..., None].repeat(4, axis=-1)
    assert shown_number(picture) == 3
    assert shown_number(np.zeros((0, 0, 4), np.uint8)) is None
    noise = np.random.default_rng(1).integers(0, 255, (40, 16, 4), np.uint8)
    noise[2, :, :3] = 0
    noise[2, 0, :3] = 255
    assert shown_number(noise) is None
