"""Which files are shared arrays of this user's kernels, and nothing else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

PREFIX = "blustream-"


def is_shared_array(path: Path) -> bool:
    """Whether `path` is a private file of ours in a memory file system; no link to elsewhere."""
    folders = {Path("/dev/shm"), Path(tempfile.gettempdir())}
    if path.parent not in folders or not path.name.startswith(PREFIX):
        return False
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()
