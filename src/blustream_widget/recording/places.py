"""Where recordings lie, what they are called, and which are removed after a while."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import time
from pathlib import Path

from blustream_widget.config import Config

logger = logging.getLogger(__name__)

_NAME = re.compile(r".*-\d{8}-\d{6}(-\d+)?\.mp4")
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_DAY_S = 86_400.0
_RUNS_S = 60.0
"""A recording that runs is written to every second: what is younger is not removed."""


def recordings_dir(config: Config) -> Path:
    """Folder for recordings whose user named none; it need not exist yet."""
    if config.recordings_dir:
        return Path(config.recordings_dir).expanduser()
    return Path.home() / "blustream-recordings"


def new_path(config: Config, volume_name: str, now_s: float | None = None) -> Path:
    """Path in the folder of recordings that no file has: volume, date and local time."""
    stem = _NOT_IN_NAMES.sub("_", Path(volume_name).stem).strip("._")[:80] or "recording"
    moment = time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s))
    folder = recordings_dir(config)
    path = folder / f"{stem}-{moment}.mp4"
    number = 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{moment}-{number}.mp4"
    return path


def prune(config: Config, *, keep: Path, now_s: float | None = None) -> list[Path]:
    """Remove recordings that are too old or too many bytes, oldest first; `keep` stays.

    Only files of the folder of recordings whose names `new_path` made, and none that is still
    being written.
    """
    now_s = time.time() if now_s is None else now_s
    found = []
    for path in recordings_dir(config).glob("*.mp4"):
        if _NAME.fullmatch(path.name) and path != keep:
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
    removed = []
    total = sum(size for _, size, _ in found)
    for modified_s, size, path in sorted(found):
        if now_s - modified_s < _RUNS_S:
            continue
        is_old = 0 < config.recordings_keep_days * _DAY_S < now_s - modified_s
        if is_old or 0 < config.recordings_total_bytes < total:
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path)
                total -= size
    if removed:
        logger.info("%d old recordings were removed", len(removed))
    return removed


def free_bytes(folder: Path) -> int:
    """Say what may still be written to the disk of a folder."""
    return shutil.disk_usage(folder).free
