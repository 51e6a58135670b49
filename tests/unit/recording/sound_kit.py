"""Voices that beep, coded as a page codes them, and where beeps are in samples."""

from __future__ import annotations

import av
import numpy as np

from blustream_widget.core.voice_messages import PACKET_SAMPLES, RATE_HZ
from blustream_widget.recording.voices import PACKET_90K, Spoken

ANN, BEN = "a" * 16, "b" * 16
BEEP_S = 0.1
NEAR_S = 0.05


def spoken_packets(*beeps_s, lasts_s=2.0):
    """Code silence with beeps at these times."""
    t = np.arange(round(lasts_s * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(t), np.float32)
    for at in beeps_s:
        here = (t >= at) & (t < at + BEEP_S)
        sound[here] = 0.5 * np.sin(2 * np.pi * 440 * t[here])
    coder = av.CodecContext.create("libopus", "w")
    coder.sample_rate, coder.layout, coder.format = RATE_HZ, "mono", "flt"
    coder.bit_rate = 32_000
    coder.options = {"application": "voip"}
    packets = []
    for block in sound.reshape(-1, PACKET_SAMPLES):
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.pts = len(packets) * PACKET_SAMPLES
        packets += [bytes(packet) for packet in coder.encode(frame)]
    return tuple(packets)


def beeps_in(samples, rate_hz=RATE_HZ):
    """When beeps begin, in seconds."""
    block = rate_hz // 200
    whole = np.abs(samples[: len(samples) // block * block]).reshape(-1, block).max(axis=1)
    loud = whole > 0.1
    begins = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]]))
    found = []
    for at in begins / 200:
        if not found or at - found[-1] > BEEP_S + NEAR_S:
            found.append(float(at))
    return found


def messages(who, page_90k, offset_90k, packets, *, clock=1, each=10):
    """As a page sends them: some packets each."""
    for i in range(0, len(packets), each):
        some = packets[i : i + each]
        yield Spoken(who, clock, page_90k + i * PACKET_90K, offset_90k, some)
