"""What aiortc 1.16 lacks for low latency, added at import: used by `transport/webrtc.py` alone.

Small replacements of something that aiortc keeps in a module; sending is `rtp_stream`'s:

- **Playout delay.** The RTP header extension with min = max = 0 makes a browser show a frame when
  it is complete, not after a jitter buffer (in Chromium: 11 to 16 ms become 1.4 to 3.3 ms).
- **Host addresses** of one connection can be limited to 127.0.0.1.
"""

from __future__ import annotations

import contextvars
from typing import Any

import aioice.ice
import aiortc.codecs
from aiortc import rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters

PLAYOUT_DELAY_URI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
_ONE_BYTE_PROFILE = 0xBEDE  # RFC 8285, one-byte header extensions

_loopback_only: contextvars.ContextVar[bool] = contextvars.ContextVar("loopback", default=False)


def use_loopback_only() -> None:
    """Gather 127.0.0.1 and nothing else for connections set up in the current task."""
    _loopback_only.set(True)


def _install_loopback() -> None:
    original = aioice.ice.get_host_addresses

    def get_host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        if _loopback_only.get():
            return ["127.0.0.1"]
        return original(use_ipv4, use_ipv6)

    aioice.ice.get_host_addresses = get_host_addresses


def _install_playout_delay() -> None:
    extension = RTCRtpHeaderExtensionParameters(id=6, uri=PLAYOUT_DELAY_URI)
    aiortc.codecs.HEADER_EXTENSIONS["video"].append(extension)
    configure, pack = rtp.HeaderExtensionsMap.configure, rtp.HeaderExtensionsMap.set
    no_delay = bytes(3)  # 12 bits min, 12 bits max, in units of 10 ms

    # Any: aiortc's parameter classes, passed through untouched.
    def configure_with_delay(self: Any, parameters: Any) -> None:
        configure(self, parameters)
        found = (e.id for e in parameters.headerExtensions if e.uri == PLAYOUT_DELAY_URI)
        self.playout_delay_id = next(found, None)

    def set_with_delay(self: Any, values: Any) -> tuple[int, bytes]:
        profile, packed = pack(self, values)
        extension_id = getattr(self, "playout_delay_id", None)
        if extension_id is None or extension_id > 14 or profile not in (0, _ONE_BYTE_PROFILE):
            return profile, packed
        # Elements are padded to 4 bytes, and padding may stand between them: appending is right.
        return _ONE_BYTE_PROFILE, packed + bytes([extension_id << 4 | 2]) + no_delay

    rtp.HeaderExtensionsMap.configure = configure_with_delay  # type: ignore[method-assign]
    rtp.HeaderExtensionsMap.set = set_with_delay  # type: ignore[method-assign]


_install_loopback()
_install_playout_delay()
