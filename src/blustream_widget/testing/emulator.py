"""Carries packets between two TUN devices late, slowly, or not at all.

`python -m blustream_widget.testing.emulator NAMESPACE ADDRESS NAMESPACE ADDRESS`. A process of its
own, so that nothing of what is tested holds it up. Its standard input takes one JSON object a line,
the `Conditions` from now on, and its output answers each with the `Lateness` under those before; it
ends with its input. It runs before everything else on the machine where it may: a network does not
get slower when a browser is busy.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import asdict, dataclass

from blustream_widget.testing.namespaces import entered, ip

DEVICE = "bs0"
"""Name of each side's end of the network."""
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_UDP = 17


@dataclass(frozen=True, slots=True)
class Conditions:
    """A network, the same in both directions.

    Parameters
    ----------
    rtt_ms : float
        Round trip of an empty network.
    jitter_ms : float
        Mean of what is added to each packet's way; packets stay in order.
    loss : float
        Share of packets that get lost, 0 to 1.
    rate_bps : float
        0 = without a bound.
    queue_ms : float
        What waits longer than this in front of the link is lost.
    is_up : bool
        False: everything is lost.
    has_udp : bool
        False: UDP is lost.
    """

    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    rate_bps: float = 0.0
    queue_ms: float = 300.0
    is_up: bool = True
    has_udp: bool = True

    def to_line(self) -> bytes:
        """One line for the process."""
        return json.dumps(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Lateness:
    """How much later than the conditions say packets were handed over: the emulator's own delay."""

    n_packets: int = 0
    mean_ms: float = 0.0
    worst_ms: float = 0.0

    def to_line(self) -> bytes:
        """One line for who asked."""
        return json.dumps(asdict(self)).encode() + b"\n"


class _Direction:
    """Packets from one device to another."""

    def __init__(self, target: int, seed: int) -> None:
        self._target = target
        self._random = random.Random(seed)
        self._free_s = self._last_s = 0.0
        self._queue: list[tuple[float, int, bytes]] = []
        self._n = 0
        self._late_s: list[float] = []

    def take(self, packet: bytes, now: float, is_: Conditions) -> None:
        """Let a packet enter the network, or get lost."""
        if not is_.is_up or self._random.random() < is_.loss:
            return
        if not is_.has_udp and packet[0] >> 4 == 4 and packet[9] == _UDP:
            return
        start = max(now, self._free_s)
        if start - now > is_.queue_ms / 1000:
            return
        self._free_s = start + (8 * len(packet) / is_.rate_bps if is_.rate_bps else 0.0)
        jitter_s = self._random.expovariate(1000 / is_.jitter_ms) if is_.jitter_ms else 0.0
        self._last_s = max(self._free_s + is_.rtt_ms / 2000 + jitter_s, self._last_s)
        self._n += 1
        heapq.heappush(self._queue, (self._last_s, self._n, packet))

    def deliver(self, now: float) -> float:
        """Hand over what is due; seconds until the next packet is."""
        while self._queue and self._queue[0][0] <= now:
            due_s, _, packet = heapq.heappop(self._queue)
            self._late_s.append(time.monotonic() - due_s)
            try:
                os.write(self._target, packet)
            except OSError:  # the device's own queue is full, or the namespace is gone
                continue
        return self._queue[0][0] - now if self._queue else 1.0

    def take_late_s(self) -> list[float]:
        """How late packets were since this was last asked."""
        late_s, self._late_s = self._late_s, []
        return late_s


class Emulator:
    """Two devices and what lies between them."""

    def __init__(self, ends: tuple[tuple[str, str], tuple[str, str]]) -> None:
        (near, near_address), (far, far_address) = ends
        a = _open_tun(near, near_address, far_address)
        b = _open_tun(far, far_address, near_address)
        self._ways = {a: _Direction(b, 1), b: _Direction(a, 2)}
        self._conditions = Conditions()

    def run(self) -> None:
        """Carry packets until the standard input ends."""
        commands = sys.stdin.fileno()
        os.set_blocking(commands, False)
        self._answer()
        wait_s = 1.0
        while True:
            ready, _, _ = select.select([*self._ways, commands], [], [], max(wait_s, 0.0))
            if commands in ready and not self._obey(commands):
                return
            for device in ready:
                if device in self._ways:
                    self._read(device)
            now = time.monotonic()
            wait_s = min(way.deliver(now) for way in self._ways.values())

    def _obey(self, commands: int) -> bool:
        lines = os.read(commands, 65536).splitlines()
        for line in lines:
            self._conditions = Conditions(**json.loads(line))
            self._answer()
        return bool(lines)

    def _answer(self) -> None:
        late_s = [s for way in self._ways.values() for s in way.take_late_s()]
        lateness = Lateness()
        if late_s:
            mean_s = sum(late_s) / len(late_s)
            lateness = Lateness(len(late_s), 1000 * mean_s, 1000 * max(late_s))
        os.write(sys.stdout.fileno(), lateness.to_line())

    def _read(self, device: int) -> None:
        way, now = self._ways[device], time.monotonic()
        for _ in range(64):
            try:
                packet = os.read(device, 65536)
            except BlockingIOError:
                return
            way.take(packet, now, self._conditions)


def _open_tun(namespace: str, address: str, peer: str) -> int:
    with entered(namespace):
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        request = struct.pack("16sH", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI)
        fcntl.ioctl(device, _TUNSETIFF, request)
    ip("-n", namespace, "addr", "add", address, "peer", peer, "dev", DEVICE)
    ip("-n", namespace, "link", "set", DEVICE, "up", "mtu", "1500", "txqueuelen", "1000")
    # Browsers list their addresses only where there is a way out.
    ip("-n", namespace, "route", "add", "default", "via", peer, "dev", DEVICE)
    return device


def _go_first() -> None:
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    _go_first()
    Emulator(((arguments[0], arguments[1]), (arguments[2], arguments[3]))).run()
