"""Remembers that the machine's NVIDIA cards have no video encoder, which takes long to find out.

FFmpeg makes a CUDA context before it asks for an encoder. Where there is a driver but no encoder
(an H200), each worker began half a second later for it, took 110 MB for a moment and kept a dozen
open files of the driver. A card grows no encoder: one worker finds out for those that follow.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import av
import msgspec

from blustream_widget.core.types import EncoderTrial
from blustream_widget.encode.encoder import Encoder, StreamSettings
from blustream_widget.encode.profiles import EncoderProfile
from blustream_widget.encode.reasons import CARD_WITHOUT_ENCODER

TryEncoder = Callable[[EncoderProfile, StreamSettings], "Encoder | EncoderTrial"]

_FILE = "no-nvenc.json"
_CARD = re.compile(r"nvidia\d+")


class _Refusal(msgspec.Struct, frozen=True):
    cards: str
    reason: str


def remembering(
    try_encoder: TryEncoder, folder: Callable[[], Path], *, root: Path = Path("/")
) -> TryEncoder:
    """Wrap a way to try encoders: NVENC is not tried where these cards were known to have none.

    Parameters
    ----------
    try_encoder : callable
    folder : callable
        Tells where it is written down, for all workers of a user; asked only where there are cards.
    root : Path
        Of the machine's file system (tests).
    """

    def attempt(profile: EncoderProfile, settings: StreamSettings) -> Encoder | EncoderTrial:
        cards = nvidia_cards(root) if profile.name == "h264_nvenc" else ""
        if not cards:
            return try_encoder(profile, settings)
        path = folder() / _FILE
        known = _read(path)
        if known is not None and known.cards == cards:
            return EncoderTrial(profile.name, known.reason)
        found = try_encoder(profile, settings)
        if isinstance(found, EncoderTrial) and CARD_WITHOUT_ENCODER in found.reason:
            with contextlib.suppress(OSError):  # then the next worker tries again
                _write(path, _Refusal(cards, found.reason))
        return found

    return attempt


def nvidia_cards(root: Path = Path("/")) -> str:
    """Name the NVIDIA cards of this boot, their driver and FFmpeg; "" where that is not known.

    Another card, driver, PyAV or boot is another name.
    """
    try:
        cards = sorted(p.name for p in (root / "dev").iterdir() if _CARD.fullmatch(p.name))
        boot = (root / "proc/sys/kernel/random/boot_id").read_text().strip()
        driver = (root / "sys/module/nvidia/version").read_text().strip()
    except OSError:
        return ""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
    return " ".join((boot, driver, *cards, visible, av.__version__)) if cards else ""


def _read(path: Path) -> _Refusal | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Refusal)
    except (OSError, msgspec.DecodeError):
        return None


def _write(path: Path, refusal: _Refusal) -> None:
    """Several workers may begin at once; each file is whole when it appears."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_FILE, delete=False) as file:
        file.write(msgspec.json.encode(refusal))
    Path(file.name).replace(path)
