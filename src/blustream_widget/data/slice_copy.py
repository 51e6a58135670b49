"""The slice copy beside a VDS file: its name, whether it can be used, and a source that uses it."""

from __future__ import annotations

import logging
from pathlib import Path

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.grid import check_tile
from blustream_widget.data.openvds_slices import TILE_SIZE, CopiedFile, SlicesReader
from blustream_widget.data.openvds_source import OpenVdsSource
from blustream_widget.data.paths import readable_file
from blustream_widget.data.source import (
    BrickDone,
    BrickKey,
    BrickRequest,
    DoneRequest,
    TileDone,
    TileKey,
)
from blustream_widget.data.vds_check import check_vds_file
from blustream_widget.errors import BlustreamError, VolumeFormatError

logger = logging.getLogger(__name__)


def slice_copy_path(path: Path) -> Path:
    """Where the slice copy of a volume lies: "survey.vds" has "survey.slices.vds"."""
    return path.with_suffix(".slices.vds")


def open_slice_copy(path: Path, info: VolumeInfo, roots: str = "") -> SlicesReader:
    """Open the slice copy of the file `path`, if it was made of the file as it is now.

    Raises
    ------
    VolumeError
        There is none, it is damaged, or it is of something else; says what to do.
    """
    real = readable_file(slice_copy_path(path), roots)
    check_vds_file(real)
    reader = SlicesReader(real, info)
    if not reader.copied.is_same(CopiedFile.of(path)):
        reader.close()
        raise VolumeFormatError(
            f"{real.name} is not used: {path.name} has changed since it was written.",
            hint=f"Write it anew: blustream optimize {path.name}",
        )
    return reader


def with_slice_copy(source: OpenVdsSource, path: Path, roots: str) -> OpenVdsSource | TiledVds:
    """Use the slice copy of a file, if there is one; one that is of no use is only told of."""
    if not slice_copy_path(path).exists():
        return source
    try:
        slices = open_slice_copy(path, source.info, roots)
    except BlustreamError as exc:
        logger.warning("%s", exc)
        return TiledVds(source, None, str(exc))
    return TiledVds(source, slices, f"LOD0 from {slice_copy_path(path).name}")


class TiledVds:
    """A VDS whose LOD0 slices are read from its slice copy; everything else from itself.

    Parameters
    ----------
    source : OpenVdsSource
    slices : SlicesReader or None
        Both become its own. None: there is a copy that is of no use.
    note : str
        What `blustream info` says of it.
    """

    def __init__(self, source: OpenVdsSource, slices: SlicesReader | None, note: str) -> None:
        self._source, self._slices = source, slices
        self.survey, self.storage, self.slices_note = source.survey, source.storage, note

    @property
    def info(self) -> VolumeInfo:
        return self._source.info

    @property
    def tile_size(self) -> int:
        return TILE_SIZE if self._slices is not None else 0

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        return self._source.request_brick(key, done, prefetch=prefetch)

    def request_tile(self, key: TileKey, done: TileDone, *, prefetch: bool = False) -> BrickRequest:
        del prefetch  # half a millisecond each: nothing waits for it
        check_tile(self.info, key, TILE_SIZE)
        if self._slices is None:
            done(key, None)
            return DoneRequest()
        return self._slices.request(key, done)

    def close(self) -> None:
        if self._slices is not None:
            self._slices.close()
        self._source.close()
