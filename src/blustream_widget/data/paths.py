"""Local volumes: may this path be opened, and is it a file that can be read."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blustream_widget.errors import VolumeAccessError, VolumeFormatError, VolumeNotFoundError

REMOTE_SCHEMES = ("s3", "azure", "azuresas", "gs", "http", "https")
SUFFIXES = (".vds", ".nii", ".nii.gz", ".npy", ".npz", ".sgy", ".segy", ".img", ".hdr")


def scheme_of(url: str) -> str:
    """Scheme of an address in lower case; "" for a path (also for Windows drive letters).

    Raises
    ------
    VolumeFormatError
        A scheme nobody reads: OpenVDS would take it for a local file.
    """
    if "://" not in url:
        return ""
    scheme = urlsplit(url).scheme.lower()
    if scheme == "file":
        return ""
    if scheme not in REMOTE_SCHEMES:
        raise VolumeFormatError(
            f"There is no reader for {scheme}://.",
            hint=f"Known: a path, file://, {', '.join(f'{s}://' for s in REMOTE_SCHEMES)}.",
        )
    return scheme


def shown_name(url: str) -> str:
    """Last part of a path or address; never the query or the user info, which may hold secrets."""
    path = urlsplit(url).path if "://" in url else url
    return Path(path).name or "volume"


def local_path(url: str) -> Path:
    """Path of a path or a file: address."""
    return Path(unquote(urlsplit(url).path) if "://" in url else url).expanduser()


def readable_file(path: Path, roots: str = "") -> Path:
    """Resolve a path and check that it is a file that may be opened.

    Parameters
    ----------
    path : Path
    roots : str
        Folders separated by os.pathsep; "" allows every path. Symbolic links are followed first.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
    """
    real = _resolve(path)
    _check_roots(path, real, roots)
    try:
        if real.is_dir():
            raise VolumeFormatError(
                f"{path} is a folder.", hint="Give one volume file, for example survey.vds."
            )
        size_bytes = real.stat().st_size
        with real.open("rb"):
            pass
    except FileNotFoundError as exc:
        raise VolumeNotFoundError(
            f"There is no file {path}.",
            hint="Check the path; it is looked up where the kernel runs.",
        ) from exc
    except PermissionError as exc:
        raise VolumeAccessError(
            f"{path} may not be read.", hint=f"For example: chmod u+r {path}"
        ) from exc
    except OSError as exc:
        raise VolumeNotFoundError(f"{path} cannot be opened: {exc.strerror}.") from exc
    if size_bytes == 0:
        raise VolumeFormatError(f"{path} is empty (0 bytes).", hint="Copy or import it again.")
    return real


def suffix_of(path: Path) -> str:
    """Suffix of a known format, in lower case.

    Raises
    ------
    VolumeFormatError
    """
    name = path.name.lower()
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return suffix
    raise VolumeFormatError(
        f"{path} has no suffix of a known volume format.", hint=f"Known: {', '.join(SUFFIXES)}."
    )


def _resolve(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as exc:  # ValueError: a zero byte in the name
        raise VolumeNotFoundError(f"{path!s:.200} is not a path: {exc}.") from exc


def _check_roots(path: Path, real: Path, roots: str) -> None:
    allowed = [
        os.path.realpath(Path(root).expanduser()) for root in roots.split(os.pathsep) if root
    ]
    if allowed and not any(real.is_relative_to(root) for root in allowed):
        raise VolumeAccessError(
            f"{path} is outside the folders that volumes may be opened from.",
            hint="Move it there, or extend BLUSTREAM_VOLUME_ROOTS.",
        )
