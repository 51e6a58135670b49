"""Network namespaces: two machines on one, for tests of slow and broken networks."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def namespace_obstacle() -> str:
    """Why there can be no namespaces with a TUN link here; "" if there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "there is no ip command (iproute2)"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    try:
        with Namespace(f"bs-probe-{os.getpid()}"):
            return ""
    except (OSError, subprocess.CalledProcessError) as exc:
        return f"a network namespace cannot be made here: {exc}"


class Namespace:
    """One namespace, from its making to `close`; a context manager.

    Parameters
    ----------
    name : str
        As `ip netns` shows it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put the calling thread into the namespace: what it opens and starts lies in it.

        Sockets stay where they were opened. UNIX sockets are reached from everywhere.
        """
        with entered(self.name):
            yield

    def add_network(self, address: str) -> bool:
        """Give it a network that has nobody else: for programs that leave out 127.0.0.1.

        Parameters
        ----------
        address : str
            Of the namespace in it, with the length of its prefix: "10.79.0.1/24".

        Returns
        -------
        bool
            False where this kernel has no veth.
        """
        try:
            ip("-n", self.name, "link", "add", "d0", "type", "veth", "peer", "name", "d1")
        except subprocess.CalledProcessError:
            return False
        ip("-n", self.name, "address", "add", address, "dev", "d0")
        for name in ("d0", "d1"):
            ip("-n", self.name, "link", "set", name, "up")
        return True

    def command(self, *command: str) -> list[str]:
        """Command line that runs another one in the namespace."""
        return ["ip", "netns", "exec", self.name, *command]

    def close(self) -> None:
        """Remove the namespace; processes in it must have ended."""
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)

    def __enter__(self) -> Namespace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def entered(name: str) -> Iterator[None]:
    """Put the calling thread into the namespace `name` for the length of the block."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _enter(libc, there)
        try:
            yield
        finally:
            _enter(libc, home)
    finally:
        os.close(there)
        os.close(home)


def _enter(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def ip(*arguments: str) -> None:
    """Run the command `ip`."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
