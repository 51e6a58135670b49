"""A kernel's process, which lives also while a call that holds its interpreter keeps it silent."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import msgspec

_PEER = struct.Struct("3i")  # <sys/socket.h> struct ucred: pid, uid, gid
_STATE, _STARTED = 0, 19  # proc(5), fields 3 and 22 of /proc/PID/stat, counted behind the name


class KernelProcess(msgspec.Struct, frozen=True, array_like=True):
    """A process, and no other that bears its number later.

    Parameters
    ----------
    pid : int
    started : int
        In ticks of the machine's clock since it began.
    """

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return _started(self.pid) == self.started


def process_of(pid: int) -> KernelProcess | None:
    """Return the process of this number; None if there is none, or the system does not say."""
    started = _started(pid)
    return None if started is None else KernelProcess(pid, started)


def process_at(connection: socket.socket) -> KernelProcess | None:
    """Return the process at the other end of a UNIX socket; None where nobody can know."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    try:
        pid, _, _ = _PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _PEER.size))
    except OSError:
        return None
    return process_of(pid)


def _started(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in ("Z", "X") else int(fields[_STARTED])
