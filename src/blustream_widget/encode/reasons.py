"""Why FFmpeg refuses an encoder, in plain words in front of its own."""

from __future__ import annotations

from collections.abc import Sequence

import av.logging
from av.codec.codec import UnknownCodecError

LogLine = tuple[int, str, str]
"""Level, who says it, and the line, as PyAV captures it."""

CARD_WITHOUT_ENCODER = "this NVIDIA card has no video encoder"

# What FFmpeg 8 says, and what it means. Cards for computing (A100, H100, H200) have no encoder.
_MEANINGS = {
    "Cannot load libcuda": "there is no NVIDIA driver",
    "Cannot load libnvidia-encode": "the NVIDIA driver is here without its encoder; "
    'a container needs its capability "video" (NVIDIA_DRIVER_CAPABILITIES=all)',
    "unsupported device": CARD_WITHOUT_ENCODER,
    "Error creating a MFX session": "there is no Intel media driver",
    "DLL libamfrt": "there is no AMD encoder runtime (AMF)",
}
_CONCLUSION = "No capable devices found"
_NO_DETAILS = ": (no details)"


def reason_of(exc: Exception, lines: Sequence[LogLine] = ()) -> str:
    """Say what FFmpeg says of an error: its own words rather than its error number.

    Parameters
    ----------
    exc : Exception
    lines : sequence of LogLine
        What it logged meanwhile, oldest first. The first error counts: those after it are what it
        concludes, "The minimum required Nvidia driver is …" where a library is missing, say.
    """
    if isinstance(exc, UnknownCodecError):
        return "this FFmpeg was built without it"
    said = _cause(lines) or _last_error(exc)
    if not said:
        return str(getattr(exc, "strerror", None) or exc).rstrip(".")
    meaning = next((words for mark, words in _MEANINGS.items() if mark in said), "")
    return f"{meaning} ({said})" if meaning else said


def _cause(lines: Sequence[LogLine]) -> str:
    errors = [_tidy(text) for level, _, text in lines if level <= av.logging.ERROR]
    causes = [text for text in errors if text and text != _CONCLUSION]
    # Of several cards one may have an encoder that is taken.
    others = [text for text in causes if "unsupported device" not in text]
    return next(iter((*others, *causes)), "")


def _last_error(exc: Exception) -> str:
    log: LogLine | None = getattr(exc, "log", None)
    return _tidy(log[2]) if log is not None else ""


def _tidy(text: str) -> str:
    return text.strip().rstrip(".").removesuffix(_NO_DETAILS)
