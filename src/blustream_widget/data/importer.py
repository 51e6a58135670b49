"""Turns volumes of other formats into VDS with a correct pyramid: `blustream import`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import numpy as np

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.grid import Shape, column_order
from blustream_widget.data.import_sources import Block, ImportSource, open_import
from blustream_widget.data.labels import as_label_channel
from blustream_widget.data.paths import local_path, readable_file
from blustream_widget.data.writer import VdsWriter
from blustream_widget.errors import ConfigError, VolumeFormatError, VolumeWriteError

Progress = Callable[[float, str], None]
_AFFINE_TOLERANCE_MM = 1e-2


def import_volume(
    src: str | Path,
    dst: str | Path,
    *,
    labels: str | Path | None = None,
    codec: str = "none",
    brick: int = 64,
    tolerance: float = 0.01,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> VolumeInfo:
    """Write `src` as a VDS.

    Parameters
    ----------
    src : path
        NIfTI (.nii, .nii.gz), NumPy (.npy, .npz), SEG-Y (.sgy, .segy), or a VDS of other software.
    dst : path
        Ends in .vds. Appears when everything is written; a killed import leaves nothing under this
        name.
    labels : path, optional
        A volume of labels on the same grid, which becomes the second channel. Names are taken
        from a text file beside it ("aal.nii.txt": lines of number and name).
    codec : {"none", "rle", "zip", "wavelet"}
        "wavelet" loses a little; labels stay exact with every codec.
    brick : {32, 64, 128, 256}
        Voxels per side of a brick.
    tolerance : float
        Of the wavelet codec, in 1/255 of the value range.
    overwrite : bool
        Replace an existing `dst`, once the new one is complete.
    progress : callable, optional
        Gets the share done (0 to 1) and a line for people. It may raise, which ends the import.

    Returns
    -------
    VolumeInfo
        Of the new volume, with exact statistics.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        About `src` or `labels`.
    VolumeWriteError
        About `dst`: no room, no rights.
    ConfigError
        An option cannot work.
    """
    source_path, target = local_path(str(src)), local_path(str(dst))
    _check_target(source_path, target, overwrite=overwrite)
    report = progress or _silent
    with ExitStack() as stack:
        source = stack.enter_context(
            open_import(readable_file(source_path), source_path, target, report)
        )
        parts = [source]
        if labels is not None:
            label_path = local_path(str(labels))
            label_source = stack.enter_context(
                open_import(readable_file(label_path), label_path, target, report)
            )
            _check_same_grid(source, label_source, label_path)
            parts.append(as_label_channel(label_source, label_path))
        writer = VdsWriter(
            target,
            axes=source.axes,
            channels=[channel for part in parts for channel in part.channels],
            kind=source.kind,
            world_unit=source.world_unit,
            affine=source.affine,
            survey=source.survey,
            codec=codec,
            brick_size=brick,
            tolerance=tolerance,
        )
        with writer:
            _copy(parts, writer, lambda share: report(share, f"importing {source_path.name}"))
            info = writer.finish()
        return msgspec.structs.replace(info, name=target.name)


def _silent(share: float, line: str) -> None:
    del share, line


def _copy(parts: list[ImportSource], writer: VdsWriter, report: Callable[[float], None]) -> None:
    for block in blocks(writer.info.shape, writer.info.brick_size, parts[0].is_first_axis_fastest):
        channel = 0
        for part in parts:
            for own in range(len(part.channels)):
                values = np.asarray(part.read(own, block))
                writer.write(channel, (block[0].start, block[1].start, block[2].start), values)
                channel += 1
        report(writer.progress)


def blocks(shape: Shape, size: int, is_first_axis_fastest: bool) -> Iterator[Block]:
    """Blocks of whole bricks in an order that suits both the file that is read and the pyramid.

    With the last axis fastest: columns of bricks along it, in Z order. With the first axis fastest:
    the same, one layer of bricks after the other, so that the file is read from begin to end.
    """
    n0, n1 = -(-shape[0] // size), -(-shape[1] // size)
    step = size if is_first_axis_fastest else shape[2]
    for o2 in range(0, shape[2], step):
        for i0, i1 in column_order(n0, n1):
            yield (
                slice(i0 * size, min((i0 + 1) * size, shape[0])),
                slice(i1 * size, min((i1 + 1) * size, shape[1])),
                slice(o2, min(o2 + step, shape[2])),
            )


def _check_target(source: Path, target: Path, *, overwrite: bool) -> None:
    if target.suffix.lower() != ".vds":
        raise ConfigError(f"{target} does not end in .vds.", hint=f"For example {target.stem}.vds.")
    if target.exists() and source.exists() and target.samefile(source):
        raise ConfigError(f"{target} is the file to import.", hint="Give the result another name.")
    if target.exists() and not overwrite:
        raise VolumeWriteError(
            f"{target} exists already.", hint="Give another name, or replace it with --force."
        )


def _check_same_grid(source: ImportSource, labels: ImportSource, path: Path) -> None:
    if labels.shape != source.shape:
        raise VolumeFormatError(
            f"{path} has the shape {labels.shape}, the volume {source.shape}.",
            hint="Labels must lie on the grid of the volume: resample them first.",
        )
    if source.affine is None or labels.affine is None:
        return
    if not np.allclose(source.affine, labels.affine, atol=_AFFINE_TOLERANCE_MM):
        raise VolumeFormatError(
            f"{path} lies elsewhere in the patient than the volume: their affines differ.",
            hint="Resample the labels to the grid of the volume first.",
        )
