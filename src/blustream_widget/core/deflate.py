"""Deflate and its inverse, zlib's format: by ISA-L where there is a wheel of it.

ISA-L takes a quarter of zlib's time for a picture, and a fifteenth for a brick of labels.
"""

from __future__ import annotations

try:
    from isal import isal_zlib as deflate
except ImportError:  # no wheel for this processor
    import zlib as deflate  # type: ignore[no-redef]

__all__ = ["deflate"]
