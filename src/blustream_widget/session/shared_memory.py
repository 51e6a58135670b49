"""Files of shared arrays, removed with their session: the kernel that made them may be dead."""

from __future__ import annotations

import logging
from pathlib import Path

from blustream_widget.core.types import VolumeRef
from blustream_widget.shared_files import is_shared_array

logger = logging.getLogger(__name__)


def remove_shared_array(ref: VolumeRef) -> None:
    """Unlink the file of `ref.array`, if it is one of ours and still there.

    Blocks for as long as the file system takes to free its pages (about 0.1 s per GB).
    """
    if ref.array is None:
        return
    path = Path(ref.array.path)
    if is_shared_array(path):
        path.unlink(missing_ok=True)
    elif path.exists():
        logger.warning("A shared array is not where ours are; its file is left alone")
