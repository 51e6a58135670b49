"""H.264 as MP4 keeps it: each unit behind its length, parameter sets in front of the stream."""

from __future__ import annotations

import struct

from blustream_widget.errors import RecordingError

_LENGTH = struct.Struct(">I")
_START = b"\x00\x00\x01"
_NAL_SPS, _NAL_PPS, _NAL_DELIMITER = 7, 8, 9


def split_units(annexb: bytes) -> list[bytes]:
    """Split an access unit at its start codes into NAL units."""
    units = []
    at = annexb.find(_START)
    while at >= 0:
        begin = at + len(_START)
        at = annexb.find(_START, begin)
        # Zeros in front of a start code belong to it; a unit ends with a bit that is one.
        unit = (annexb[begin:] if at < 0 else annexb[begin:at]).rstrip(b"\x00")
        if unit:
            units.append(unit)
    return units


def to_sample(annexb: bytes) -> bytes:
    """Turn an access unit into a sample of MP4, its parameter sets included.

    A keyframe brings them along, so that pictures may change their size in the stream.
    """
    parts: list[bytes] = []
    for unit in split_units(annexb):
        if unit[0] & 0x1F != _NAL_DELIMITER:
            parts += (_LENGTH.pack(len(unit)), unit)
    return b"".join(parts)


def to_annexb(sample: bytes) -> bytes:
    """Turn a sample of MP4 into an access unit with start codes, which every decoder takes.

    Raises
    ------
    RecordingError
        If a length leads out of the sample.
    """
    parts: list[bytes] = []
    at = 0
    while at + _LENGTH.size <= len(sample):
        (n_bytes,) = _LENGTH.unpack_from(sample, at)
        at += _LENGTH.size
        if at + n_bytes > len(sample):
            raise RecordingError("A picture of the recording is damaged.")
        parts += (b"\x00", _START, sample[at : at + n_bytes])
        at += n_bytes
    return b"".join(parts)


def decoder_config(keyframe: bytes) -> bytes:
    """Make the `avcC` record (ISO/IEC 14496-15, 5.3.3.1) from a keyframe's parameter sets.

    Raises
    ------
    RecordingError
        If the keyframe has none.
    """
    units = split_units(keyframe)
    sps = [unit for unit in units if unit[0] & 0x1F == _NAL_SPS][:1]
    pps = [unit for unit in units if unit[0] & 0x1F == _NAL_PPS]
    if not sps or not pps or len(sps[0]) < 4:
        raise RecordingError("The encoder's keyframes have no parameter sets.")
    record = bytes((1, *sps[0][1:4], 0xFC | 3, 0xE0 | len(sps)))
    for unit in sps:
        record += struct.pack(">H", len(unit)) + unit
    record += bytes((len(pps),))
    for unit in pps:
        record += struct.pack(">H", len(unit)) + unit
    return record
