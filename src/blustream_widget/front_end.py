"""The front end's file: what a viewer sends of it to its page, and who else can give it out.

The bundle is some hundred kilobytes. Jupyter's server extension gives it to pages under its digest
and tells its kernels so in their environment; a viewer of such a kernel sends the loader, a few
lines that fetch it from there. All others send the bundle whole.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

BUNDLE = Path(__file__).parent / "static" / "widget.js"
LOADER = Path(__file__).parent / "static" / "loader.js"
DIGEST_VARIABLE = "BLUSTREAM_FRONT_END"
"""Digest of the bundle that the Jupyter server which started this process gives out."""

_PLACEHOLDER = "@digest@"


@functools.cache
def bundle() -> bytes:
    """Return the bundle as it was when first asked for; empty if it was not built."""
    return BUNDLE.read_bytes() if BUNDLE.is_file() else b""


@functools.cache
def digest() -> str:
    """Name the bundle by its content: 32 hexadecimal digits."""
    return hashlib.sha256(bundle()).hexdigest()[:32]


def module_of_viewers() -> Path | str:
    """Return what anywidget sends to the page for each viewer: the loader or the whole bundle."""
    if not BUNDLE.is_file():
        return "export default {}"
    # With anywidget's hot reloading the page must get the file itself.
    is_given_out = os.environ.get(DIGEST_VARIABLE) == digest()
    if not is_given_out or os.environ.get("ANYWIDGET_HMR") or not LOADER.is_file():
        return BUNDLE
    return LOADER.read_text(encoding="utf-8").replace(_PLACEHOLDER, digest())
