"""What a server logged after its predecessor was killed, and how long after."""

from __future__ import annotations

import time
from pathlib import Path

from blustream_widget.bench.numbers import Record

# Beginnings of log messages, in the order in which they come.
_MILESTONES = {
    "listens_ms": " listens, process ",
    "session_opened_ms": " opened",
    "page_joined_ms": " joined as owner ",
    "encoder_ready_ms": " Encoder: ",
}
_STAMP = "%Y-%m-%d %H:%M:%S"
_STAMP_LENGTH = 19


def milestones(log: Path, killed_s: float) -> Record:
    """Find the first of each kind after `killed_s`, seconds since 1970; None without one."""
    found: Record = dict.fromkeys(_MILESTONES)
    for line in log.read_text(errors="replace").splitlines():
        at_s = _time(line)
        if at_s is None or at_s < killed_s:
            continue
        for name, text in _MILESTONES.items():
            if found[name] is None and text in line:
                found[name] = round(1000 * (at_s - killed_s))
    return found


def _time(line: str) -> float | None:
    try:
        whole = time.mktime(time.strptime(line[:_STAMP_LENGTH], _STAMP))
        return whole + int(line[_STAMP_LENGTH + 1 : _STAMP_LENGTH + 4]) / 1000
    except ValueError:
        return None
