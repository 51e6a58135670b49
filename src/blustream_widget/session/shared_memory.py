"""Files of shared arrays, removed with their session: the kernel that made them may be dead."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from blustream_widget.core.types import VolumeRef

logger = logging.getLogger(__name__)

PREFIX = "blustream-"


def remove_shared_array(ref: VolumeRef) -> None:
    """Unlink the file of `ref.array`, if it is one of ours and still there.

    Blocks for as long as the file system takes to free its pages (about 0.1 s per GB).
    """
    if ref.array is None:
        return
    path = Path(ref.array.path)
    folders = {Path("/dev/shm"), Path(tempfile.gettempdir())}
    if path.parent not in folders or not path.name.startswith(PREFIX) or path.is_symlink():
        logger.warning("A shared array is not where ours are; its file is left alone")
        return
    try:
        if path.lstat().st_uid == os.getuid():
            path.unlink()
    except FileNotFoundError:
        return
