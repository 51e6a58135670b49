"""A VDS that holds the LOD0 slices of another one, each stored as such in square tiles.

OpenVDS calls it two-dimensional dimension groups: a slice is read without the 63 others that share
its bricks. The file has no bricks of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openvds

from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.grid import Shape
from blustream_widget.data.openvds_errors import OPENVDS_ERRORS, translate
from blustream_widget.data.openvds_file import axis_descriptors, channel_descriptor
from blustream_widget.data.openvds_handle import Handle
from blustream_widget.data.openvds_layout import CATEGORY, SLICES_KEY, describe_layout
from blustream_widget.data.source import BrickRequest, DoneRequest, TileDone, TileKey
from blustream_widget.errors import BlustreamError, VolumeFormatError, VolumeWriteError

TILE_SIZE = 256
_BRICK_SIZE, _TILE_FACTOR = 64, 4  # as OpenVDS wants to be told of tiles
# Across axis 0 (its dimension 2), 1 and 2.
_GROUPS = (
    openvds.DimensionsND.Dimensions_01,
    openvds.DimensionsND.Dimensions_02,
    openvds.DimensionsND.Dimensions_12,
)
_MODE = openvds.IVolumeDataAccessManager.AccessMode.AccessMode_CreateWithoutLODGeneration
# OpenVDS opens a file of which the end is missing; its last bytes tell that it is whole.
_END = b"blustream-slices-end"
_PAGES_IN_MEMORY = 8
_CHUNK_METADATA_PAGE = 1024


class CopiedFile(msgspec.Struct, frozen=True):
    """The file whose slices were copied, as it was then."""

    name: str
    size_bytes: int
    mtime_ns: int
    version: int = 1

    @classmethod
    def of(cls, path: Path) -> CopiedFile:
        """Describe a file as it is now."""
        found = path.stat()
        return cls(path.name, found.st_size, found.st_mtime_ns)

    def is_same(self, other: CopiedFile) -> bool:
        """Whether the file is unchanged; it may have another name."""
        return (self.size_bytes, self.mtime_ns, self.version) == (
            other.size_bytes,
            other.mtime_ns,
            other.version,
        )


class SlicesWriter:
    """A file of slices being written, block by block in any order.

    Parameters
    ----------
    path : Path
    info : VolumeInfo
        Of the volume.
    copied : CopiedFile

    Raises
    ------
    VolumeWriteError
    """

    def __init__(self, path: Path, info: VolumeInfo, copied: CopiedFile) -> None:
        self._path, self._info = path, info
        metadata = openvds.MetadataContainer()
        metadata.setMetadataString(CATEGORY, SLICES_KEY, msgspec.json.encode(copied).decode())
        kind = openvds.VolumeDataLayoutDescriptor
        layout = kind(
            getattr(kind.BrickSize, f"BrickSize_{_BRICK_SIZE}"),
            *(0, 0, _TILE_FACTOR),
            kind.LODLevels(0),
            kind.Options.Options_None,
        )
        try:
            self._vds = openvds.create(
                str(path),
                "",
                layout,
                axis_descriptors(info),
                [channel_descriptor(channel) for channel in info.channels],
                metadata,
                openvds.CompressionMethod(0),
                0.0,
            )
            manager = openvds.getAccessManager(self._vds)
            self._pages = {
                (channel, axis): manager.createVolumeDataPageAccessor(
                    group, 0, channel, _PAGES_IN_MEMORY, _MODE, _CHUNK_METADATA_PAGE
                )
                for channel in range(len(info.channels))
                for axis, group in enumerate(_GROUPS)
            }
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def write(self, channel: int, axis: int, origin: Shape, values: Samples) -> None:
        """Write the slices across `axis` of a block.

        Parameters
        ----------
        channel, axis : int
        origin : tuple of int
            First voxel of the block; a multiple of the tile size along the two other axes.
        values : ndarray, 3-D
            At most one tile wide along the two other axes, and less only at the volume's end.

        Raises
        ------
        VolumeWriteError
        """
        pages = self._pages[channel, axis]
        tiles = [-(-n // TILE_SIZE) for n in self._info.shape]
        tiles[axis] = self._info.shape[axis]
        at = [corner // TILE_SIZE for corner in origin]
        slices = np.ascontiguousarray(np.moveaxis(values, axis, 0))
        try:
            for depth, plane in enumerate(slices):
                at[axis] = origin[axis] + depth
                page = pages.createPage((at[0] * tiles[1] + at[1]) * tiles[2] + at[2])
                buffer = np.moveaxis(np.array(page.getWritableBuffer(), copy=False), axis, 0)
                buffer[0, : plane.shape[0], : plane.shape[1]] = plane
                del buffer  # before release: using the memory after it ends the process
                page.release()
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def finish(self) -> None:
        """Flush all pages and close.

        Raises
        ------
        VolumeWriteError
            For example a full disk.
        """
        try:
            for pages in self._pages.values():
                pages.commit()
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc
        self.close()
        try:
            with self._path.open("ab") as file:
                file.write(_END)
        except OSError as exc:
            raise self._error(exc) from exc

    def close(self) -> None:
        """Close, finished or not; once."""
        vds, self._vds = self._vds, None
        if vds is None:
            return
        self._pages.clear()
        try:
            openvds.close(vds)
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def _error(self, exc: Exception) -> VolumeWriteError:
        return VolumeWriteError(
            f"The slice copy of {self._info.name} cannot be written: {exc}.",
            hint="Check the free space and the rights of the folder.",
        )


class SlicesReader:
    """An open file of slices.

    Parameters
    ----------
    path : Path
        Checked: a whole VDS file.
    info : VolumeInfo
        Of the volume that it is to serve.

    Raises
    ------
    VolumeError
        It cannot be read, or holds something else.
    """

    def __init__(self, path: Path, info: VolumeInfo) -> None:
        name = path.name
        _check_end(path)
        try:
            vds = openvds.open(str(path), "")
        except OPENVDS_ERRORS as exc:
            raise translate(exc, name) from exc
        try:
            layout = openvds.getLayout(vds)
            self.copied = _copied_file(layout, name)
            opened = describe_layout(layout, name, is_slice_copy=True)
            _check_same(opened.info, info, name)
        except OPENVDS_ERRORS as exc:
            openvds.close(vds)
            raise translate(exc, name) from exc
        except BlustreamError:
            openvds.close(vds)
            raise
        self._access = opened.access
        self._shape = info.shape
        self._handle = Handle(vds, name, info.shape)

    def request(self, key: TileKey, done: TileDone) -> BrickRequest:
        """Ask for a tile of a checked key; see `TiledSource.request_tile`."""
        lower, upper = list(self._shape), list(self._shape)
        lower[key.axis], upper[key.axis] = key.slice_idx, key.slice_idx + 1
        others = [axis for axis in range(3) if axis != key.axis]
        for axis, tile in zip(others, (key.a, key.b), strict=True):
            lower[axis] = tile * key.size
            upper[axis] = min(lower[axis] + key.size, self._shape[axis])

        def flatten(key: TileKey, result: Samples | BlustreamError | None) -> None:
            done(key, result.squeeze(key.axis) if isinstance(result, np.ndarray) else result)

        request = self._handle.request(
            self._access[key.channel],
            key,
            ((lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2])),
            flatten,
            group=_GROUPS[key.axis],
        )
        if request is None:
            done(key, None)
            return DoneRequest()
        return request

    def close(self) -> None:
        """Cancel what is on its way and close. May be called twice, from any thread."""
        self._handle.close()


def _check_end(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - len(_END), 0))
        if file.read() != _END:
            raise VolumeFormatError(
                f"{path.name} is truncated, or no slice copy.",
                hint="Write it anew: blustream optimize.",
            )


# Any: OpenVDS ships no types.
def _copied_file(layout: Any, name: str) -> CopiedFile:
    try:
        if layout.isMetadataStringAvailable(CATEGORY, SLICES_KEY):
            text = layout.getMetadataString(CATEGORY, SLICES_KEY)
            return msgspec.json.decode(text, type=CopiedFile)
    except msgspec.DecodeError:
        pass  # of a later version
    raise VolumeFormatError(
        f"{name} is not a slice copy.", hint="Write it anew: blustream optimize."
    )


def _check_same(found: VolumeInfo, wanted: VolumeInfo, name: str) -> None:
    dtypes = [[channel.dtype for channel in info.channels] for info in (found, wanted)]
    if found.shape != wanted.shape or dtypes[0] != dtypes[1]:
        raise VolumeFormatError(
            f"{name} is the slice copy of another volume.",
            hint="Write it anew: blustream optimize.",
        )
