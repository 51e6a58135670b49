"""What a user may give to `Viewer(...)`, checked before anything starts."""

from __future__ import annotations

import math
import operator
import os
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec
import numpy as np

from blustream_widget.cloud_env import with_environment
from blustream_widget.config import TRANSPORTS
from blustream_widget.core.types import Kind, Samples, VolumeRef
from blustream_widget.errors import (
    ConfigError,
    VolumeAccessError,
    VolumeFormatError,
    VolumeNotFoundError,
)
from blustream_widget.series_arg import Times, checked_paths, checked_times, is_series, stacked
from blustream_widget.shared import SharedSegment

SCHEMES = ("s3", "azure", "azuresas", "gs", "http", "https", "file")
_SUFFIXES = (".vds", ".nii", ".nii.gz", ".npy", ".npz", ".sgy", ".segy", ".img", ".hdr")


def volume_ref(
    volume: Any,  # str, PathLike, or anything numpy.asarray takes; or a list of them
    *,
    connection: str = "",
    name: str = "",
    kind: Kind | None = None,
    spacing: tuple[float, float, float] | None = None,
    affine: Any = None,  # anything numpy.asarray takes
    axis_names: tuple[str, str, str] | None = None,
    unit: str = "",
    time_axis: int | None = None,
    times: Any = None,  # numbers or names
    time_unit: str = "",
) -> tuple[VolumeRef, SharedSegment | None]:
    """Check what the user gave and make it a reference that a worker can open.

    Returns
    -------
    ref : VolumeRef
    segment : SharedSegment or None
        The array's copy in shared memory; the caller closes it.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        Name the file or array and say what to do.
    ConfigError
        Names the argument that is not what the volume's description can hold.
    """
    if spacing is not None and affine is not None:
        raise ConfigError(
            "Both spacing and affine are given.", hint="An affine says the spacing as well."
        )
    about = VolumeRef(
        connection=_text("connection", connection, 8192),
        name=_text("name", name, 256),
        kind=_kind(kind),
        spacing=_spacing(spacing),
        affine=checked_affine(affine),
        axis_names=_axis_names(axis_names),
        unit=_text("unit", unit, 32),
    )
    axis = _time_axis(time_axis)
    if is_series(volume) and checked_paths(volume):
        said = checked_times(times, time_unit, len(volume))
        steps = tuple(_addressed(VolumeRef(connection=about.connection), step) for step in volume)
        name = about.name or f"{len(steps)} steps of {Path(os.fspath(volume[0])).name}"
        about = msgspec.structs.replace(about, series=steps, name=name[:256], connection="")
        return _timed(about, said), None
    if isinstance(volume, (str, os.PathLike)):
        about = _addressed(msgspec.structs.replace(about, time_axis=axis), volume)
        return _timed(about, checked_times(times, time_unit)), None
    from blustream_widget.data.arrays import check_array, steps_first

    values: Samples | tuple[Samples, ...]
    if is_series(volume):
        values = stacked([check_array(one, f"Array {n}") for n, one in enumerate(volume)])
        n_steps: int | None = len(values)
    else:
        values = steps_first(check_array(volume, may_be_series=True), axis)
        n_steps = len(values) if values.ndim == 4 else None
    said = checked_times(times, time_unit, n_steps)
    if n_steps is None and said != Times():
        raise ConfigError(
            "The array has three axes, and none of them is time, which times would be of.",
            hint="Give an array with four axes, or a list of arrays.",
        )
    segment = SharedSegment(values)
    about = msgspec.structs.replace(
        about, array=segment.ref, name=about.name or "array", connection=""
    )
    return _timed(about, said), segment


def _addressed(about: VolumeRef, volume: str | os.PathLike[str]) -> VolumeRef:
    """Add where a volume is found, and by which credentials."""
    url = _text("volume", check_address(os.fspath(volume)), 8192)
    connection, environment = with_environment(url, about.connection)
    # Not longer than what a reference may hold: the environment may hold anything.
    connection = _text("connection", connection, 8192)
    return msgspec.structs.replace(about, url=url, connection=connection, environment=environment)


def _timed(about: VolumeRef, said: Times) -> VolumeRef:
    return msgspec.structs.replace(
        about, times=said.times, time_names=said.names, time_unit=said.unit
    )


def _time_axis(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ConfigError(
            f"time_axis = {value!r} is no number of an axis.", hint="For example 0, or -1."
        )
    return value


def _text(argument: str, value: Any, max_length: int) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{argument} is a {type(value).__name__}.", hint="Give text.")
    if len(value) > max_length:
        raise ConfigError(
            f"{argument} has {len(value)} characters.", hint=f"At most {max_length} are taken."
        )
    return value


def _kind(value: Any) -> Kind | None:
    known: tuple[Kind, ...] = get_args(Kind)
    for kind in known:
        if value == kind:
            return kind
    if value is not None:
        raise ConfigError(f"There is no kind {value!r}.", hint=f"Known: {', '.join(known)}.")
    return None


def _spacing(value: Any) -> tuple[float, float, float] | None:
    if value is None:
        return None
    try:
        numbers = [float(number) for number in value]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != 3 or not all(math.isfinite(n) and n > 0 for n in numbers):
        raise ConfigError(
            f"spacing = {value!r} is not a distance for each axis.",
            hint="Give three positive numbers, for example (25.0, 12.5, 4.0).",
        )
    return numbers[0], numbers[1], numbers[2]


def checked_affine(value: Any) -> tuple[float, ...] | None:
    """Matrix from index to world, 4 x 4, row by row; None stays None.

    Raises
    ------
    ConfigError
    """
    if value is None:
        return None
    try:
        matrix = np.array(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        matrix = np.empty(0)
    if (
        matrix.shape != (4, 4)
        or not np.isfinite(matrix).all()
        or matrix[3].tolist() != [0.0, 0.0, 0.0, 1.0]
        or np.linalg.matrix_rank(matrix[:3, :3]) < 3
    ):
        raise ConfigError(
            f"affine = {value!r:.200} does not lead from index to world.",
            hint="Give 4 x 4 numbers with three independent directions and 0, 0, 0, 1 below them, "
            "as nibabel.load(file).affine is.",
        )
    return tuple(matrix.ravel().tolist())


def _axis_names(value: Any) -> tuple[str, str, str] | None:
    if value is None:
        return None
    names = list(value) if isinstance(value, (list, tuple)) else []
    if (
        len(names) != 3
        or not all(isinstance(name, str) and 0 < len(name) <= 64 for name in names)
        or len(set(names)) != 3
    ):
        raise ConfigError(
            f"axis_names = {value!r} does not name three axes.",
            hint='Give three different names, for example ("x", "y", "z").',
        )
    return names[0], names[1], names[2]


def checked_height(height: Any, *, low: int, high: int) -> int:
    """Height of a cell's output in CSS pixels.

    Raises
    ------
    ConfigError
    """
    try:
        number = operator.index(height)
    except TypeError:
        number = -1
    if not low <= number <= high:
        raise ConfigError(
            f"height = {height!r} is not a height.", hint=f"Give {low} to {high} CSS pixels."
        )
    return number


def checked_transports(transports: Any) -> str:
    """Ways to the browser, separated by commas, one of them at least that works alone.

    Raises
    ------
    ConfigError
    """
    ways = [way.strip() for way in transports.split(",")] if isinstance(transports, str) else []
    unknown = [way for way in ways if way not in TRANSPORTS]
    # WebRTC is set up over one of the others, and falls back to it.
    if unknown or not {"websocket", "comm"} & set(ways):
        raise ConfigError(
            f"transports = {transports!r} names no way to the browser."
            if not unknown
            else f"There is no transport {unknown[0]!r}.",
            hint=f"Give some of {','.join(TRANSPORTS)}, websocket or comm among them.",
        )
    return ",".join(ways)


def check_address(text: str | bytes) -> str:
    """Absolute path or remote address of a volume, after the checks that need no reader."""
    address = os.fsdecode(text)
    if not address.strip():
        raise VolumeNotFoundError(
            "The volume's path is empty.", hint='Give a file or an address: Viewer("survey.vds").'
        )
    if "\0" in address:
        raise VolumeNotFoundError(f"The path {address!r} contains a zero byte.")
    if "://" in address:
        scheme = urlsplit(address).scheme.lower()
        if scheme not in SCHEMES:
            raise VolumeFormatError(
                f"There is no reader for {scheme}:// ({_shown(address)}).",
                hint=f"Known: a path, or {', '.join(f'{s}://' for s in SCHEMES)}.",
            )
        if scheme != "file":
            return address
        from blustream_widget.data.paths import local_path

        address = str(local_path(address))
    return str(_check_path(Path(address).expanduser().absolute()))


def _check_path(path: Path) -> Path:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise VolumeNotFoundError(
            f"There is no file {path}.",
            hint="Check the path; it is looked up where the kernel runs.",
        ) from exc
    except PermissionError as exc:
        raise VolumeAccessError(
            f"The folder of {path} may not be read.", hint="Ask for read access, or move the file."
        ) from exc
    except OSError as exc:
        raise VolumeNotFoundError(f"{path} cannot be looked up: {exc.strerror}.") from exc
    if path.is_dir():
        raise VolumeFormatError(
            f"{path} is a folder.", hint="Give one volume file, for example survey.vds."
        )
    if not os.access(path, os.R_OK):
        raise VolumeAccessError(f"{path} may not be read.", hint=f"For example: chmod u+r {path}.")
    if status.st_size == 0:
        raise VolumeFormatError(f"{path} is empty (0 bytes).", hint="Copy or import it again.")
    if not path.name.lower().endswith(_SUFFIXES):
        raise VolumeFormatError(
            f"{path} has no suffix of a known volume format.",
            hint=f"Known: {', '.join(_SUFFIXES)}.",
        )
    return path


def _shown(address: str) -> str:
    """Address without user info and query, which can hold credentials."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def css_layout(layout: Any) -> dict[str, Any]:
    """Trait `layout` of ipywidgets, if one is given.

    Raises
    ------
    ConfigError
        Where a layout of panes is meant.
    """
    if isinstance(layout, str):
        raise ConfigError(
            f"layout = {layout!r} is not CSS: layout is that of ipywidgets.",
            hint=f"For panes write view_layout={layout!r}.",
        )
    return {} if layout is None else {"layout": layout}
