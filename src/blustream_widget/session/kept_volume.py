"""What a kernel said of a session's volume, kept so that it is shown while the kernel is busy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from blustream_widget.core.segmentation import SegmentationSource
from blustream_widget.core.types import VolumeRef
from blustream_widget.session.kernel_process import KernelProcess

_SECRETS = {"AWS_CONTAINER_AUTHORIZATION_TOKEN"}  # of the variables that go with a volume


class KeptVolume(msgspec.Struct, frozen=True, array_like=True, tag="volume"):
    """Enough to open a session's volume, and all that lies over it, without its kernel.

    Parameters
    ----------
    ref : VolumeRef or None
        None: only the kernel can say.
    layers : tuple of SegmentationSource
        Labels and overlays that are open.
    kernel : KernelProcess or None
    """

    ref: VolumeRef | None = None
    layers: tuple[SegmentationSource, ...] = ()
    kernel: KernelProcess | None = None

    @property
    def is_there(self) -> bool:
        """Whether it can be opened now, for a kernel that will come to take it."""
        if self.ref is None or self.kernel is None or not self.kernel.is_alive:
            return False
        refs = (self.ref, *(layer.ref for layer in self.layers if layer.ref is not None))
        return all(_is_in_place(ref) for ref in refs)


def kept_volume(
    ref: VolumeRef, layers: Iterable[SegmentationSource], kernel: KernelProcess | None
) -> KeptVolume:
    """Put together what may be written down: where a credential is among it, nothing at all."""
    layers = tuple(layers)
    refs = (ref, *(layer.ref for layer in layers if layer.ref is not None))
    if any(_holds_credentials(one) for one in refs):
        return KeptVolume()
    return KeptVolume(ref, layers, kernel)


def _holds_credentials(ref: VolumeRef) -> bool:
    if ref.connection or not _SECRETS.isdisjoint(ref.environment):
        return True
    if any(_holds_credentials(one) for one in ref.series):
        return True
    return any(map(_is_telling, (ref.url, *ref.environment.values())))


def _is_telling(address: str) -> bool:
    """Whether an address has more in it than where something lies."""
    if "://" not in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return True
    return bool(parts.query or parts.fragment) or "@" in parts.netloc


def _is_in_place(ref: VolumeRef) -> bool:
    """Whether memory that it lies in is there: a kernel takes that back while nobody looks."""
    return all(map(_is_in_place, ref.series)) and (
        ref.array is None or Path(ref.array.path).exists()
    )
