"""Receivers of `blustream bench fanout`: `python -m … FOLDER TOKEN VIEWERS TRANSPORT`.

Many viewers in one process, as light as they can be: they read what comes, look at the headers,
and acknowledge each frame as a page does. Nothing is decoded. Connections are TCP over loopback,
handed over to the server as Jupyter does. Over WebRTC the last packet of each frame alone is
decrypted: the frame's header is in it; and packets that left together are read together, the first
and the last looked at, or 30,000 a second would take all of two cores.

Speaks with the benchmark by lines: says "ready"; "start" forgets what was counted; "stop" is
answered with what was counted since, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Literal

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader
from blustream_widget.core.message_types import MessageType
from blustream_widget.server.runtime_files import RuntimeFiles, runtime_files

_TEXT, _BINARY = 1, 2
_REQUEST = (
    b"GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_TYPE = re.compile(rb'"type":(\d+)')
_U16, _U64 = struct.Struct("!H"), struct.Struct("!Q")
_CHUNK_BYTES = 256 * 1024
_UDP_BUFFER_BYTES = 1024 * 1024
# Of linux/udp.h and asm-generic/socket.h; Python has no names for them.
_UDP_GRO, _SO_TIMESTAMPNS = 104, 35
_SIZE, _TIMESPEC = struct.Struct("=i"), struct.Struct("=qq")
_ROOM_TOLD = socket.CMSG_SPACE(_SIZE.size) + socket.CMSG_SPACE(_TIMESPEC.size)
_START_TIMEOUT_S = 30.0


class Tally:
    """What all receivers of this process have counted."""

    def __init__(self) -> None:
        self.join_ms: list[float] = []
        self.forget()

    def forget(self) -> None:
        """Count from nothing."""
        self.ages_ms: list[float] = []
        self.read_ages_ms: list[float] = []
        self.n_lost = self.n_bytes = 0
        self._cpu_s = time.process_time()

    def came(self, header: FrameHeader, n_bytes: int, there_ns: int | None = None) -> None:
        """Count a whole frame, which the system had at `there_ns` of the monotonic clock."""
        now_ns = time.monotonic_ns()
        self.ages_ms.append(_age_ms(header, now_ns if there_ns is None else there_ns))
        self.read_ages_ms.append(_age_ms(header, now_ns))
        self.n_bytes += n_bytes

    def as_json(self) -> str:
        """Everything, on one line."""
        return json.dumps(
            {
                "ages_ms": self.ages_ms,
                "read_ages_ms": self.read_ages_ms,
                "cpu_s": time.process_time() - self._cpu_s,
                "packets_lost": self.n_lost,
                "n_bytes": self.n_bytes,
                "join_ms": self.join_ms,
            }
        )


def _age_ms(header: FrameHeader, there_ns: int) -> float:
    age_90k = (there_ns * 9 // 100_000 - header.timestamp_90k) & 0xFFFFFFFF
    return round(age_90k / 90, 2)


class AckPacing:
    """When a frame is acknowledged, as in the page's `ack-pace.ts`.

    Parameters
    ----------
    send : callable
    """

    def __init__(self, send: Callable[[p.Ack], None]) -> None:
        self._send = send
        self._every_s = 0.0
        self._sent_s = float("-inf")
        self._pending: p.Ack | None = None
        self._timer: asyncio.TimerHandle | None = None

    def pace(self, every_ms: int) -> None:
        """Acknowledge at most so often from now on; what waits goes now."""
        self._every_s = every_ms / 1000
        self._flush()

    def came(self, ack: p.Ack) -> None:
        """Acknowledge now, or in a while unless a later frame takes its place."""
        self._pending = ack
        if time.monotonic() - self._sent_s >= self._every_s:
            self._flush()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._every_s, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ack, self._pending = self._pending, None
        if ack is not None:
            self._sent_s = time.monotonic()
            self._send(ack)


class SocketReceiver:
    """One viewer's WebSocket, read as bytes.

    Parameters
    ----------
    handover : Path
        Socket of the server that takes connections over.
    token : str
    tally : Tally
    """

    def __init__(self, handover: Path, token: str, tally: Tally) -> None:
        self._tally = tally
        self._begun_s = time.monotonic()
        self._socket, self._lease = _handed_over(handover)
        self._rest = b""
        self._left = 0  # bytes of the frame that comes
        self._frame_bytes = 0
        self._header: FrameHeader | None = None
        self._is_shaken = False
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._acks = AckPacing(self.send)
        self.shown: asyncio.Event = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._socket, self._readable)
        self._send(p.Hello(token=token, pictures=("h264",)))

    async def ask(self, message: p.ViewerMessage, answer: MessageType) -> bytes:
        """Send a message and wait for the first answer of a type."""
        self._waiting[answer] = asyncio.get_running_loop().create_future()
        self.send(message)
        return await self._waiting[answer]

    def send(self, message: p.ViewerMessage) -> None:
        """Send a message; what the kernel does not take at once is an error."""
        self._send(message)

    def acknowledge(self, ack: p.Ack) -> None:
        """Acknowledge a frame, now or with one that follows."""
        self._acks.came(ack)

    def close(self) -> None:
        """End the connection."""
        self._acks.pace(0)
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._lease.close()

    def _send(self, message: p.ViewerMessage) -> None:
        data = p.encode(message)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + _U16.pack(len(data))
        # A mask of zeros is one too, and leaves the bytes as they are.
        self._socket.sendall(bytes([0x80 | _TEXT]) + size + bytes(4) + data)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        if not data:
            sys.exit("The server closed a connection.")
        if not self._is_shaken:
            self._rest += data
            head, end, rest = self._rest.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._is_shaken, self._rest, data = True, b"", rest
        self._take(data)

    def _take(self, data: bytes) -> None:
        if self._left:
            skipped = min(self._left, len(data))
            self._left -= skipped
            if self._left:
                return
            self._complete()
            data = data[skipped:]
        data = self._rest + data
        at = 0
        while (message := _message_at(data, at)) is not None:
            kind, begin, end = message
            if kind == _BINARY and len(data) >= begin + HEADER_BYTES:
                self._header = FrameHeader.unpack(data[begin : begin + HEADER_BYTES])
                self._frame_bytes = end - begin
                self._left = max(end - len(data), 0)
                if self._left:
                    self._rest = b""
                    return
                self._complete()
            elif end > len(data):
                break
            elif kind == _TEXT:
                self._hear(data[begin:end])
            at = end
        self._rest = data[at:]

    def _complete(self) -> None:
        header = self._header
        assert header is not None
        self.acknowledge(p.Ack(frame_no=header.frame_no, there_ms=time.monotonic() * 1000))
        if not self.shown.is_set() and header.flags & FrameFlags.KEY:
            self.shown.set()
            self._tally.join_ms.append(1000 * (time.monotonic() - self._begun_s))
        self._tally.came(header, self._frame_bytes)

    def _hear(self, text: bytes) -> None:
        found = _TYPE.search(text)
        kind = int(found[1]) if found else 0
        if kind == MessageType.PING:
            self.send(p.Pong(n=json.loads(text)["n"]))
        elif kind == MessageType.ACK_PACE:
            self._acks.pace(json.loads(text)["every_ms"])
        elif (waiting := self._waiting.pop(kind, None)) is not None:
            waiting.set_result(text)


class RtcReceiver:
    """The same viewer's WebRTC connection, once its packets are read as bytes."""

    def __init__(self, viewer: SocketReceiver, rtc: Any, tally: Tally) -> None:
        self._viewer = viewer
        self._tally = tally
        # Any: aiortc's and aioice's own parts, as in `transport.srtp_output`.
        dtls = rtc.receiver.transport
        self._srtp: Any = dtls._rx_srtp
        self._protocol: Any = dtls.transport._connection._nominated[1].protocol
        taken = self._protocol.transport.get_extra_info("socket")
        self._address = taken.getsockname()
        self._socket = socket.socket(taken.family, taken.type, fileno=os.dup(taken.fileno()))
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER_BYTES)
        self._socket.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._buffer = bytearray(_CHUNK_BYTES)
        self._next_seq: int | None = None
        self._n_bytes = 0
        loop: Any = asyncio.get_running_loop()
        loop._remove_reader(taken.fileno())  # asyncio's way costs more than all else here
        loop.add_reader(self._socket, self._readable)

    def close(self) -> None:
        """Read no more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        try:
            n_bytes, told, _, address = self._socket.recvmsg_into([self._buffer], _ROOM_TOLD)
        except BlockingIOError:
            return
        size, there_ns = n_bytes, time.time_ns()
        for _, kind, value in told:
            if kind == _UDP_GRO:
                # What left in one call of the system comes in one, with the size of its packets.
                (size,) = _SIZE.unpack_from(value)
            elif kind == _SO_TIMESTAMPNS:
                seconds, ns = _TIMESPEC.unpack(value)
                there_ns = seconds * 1_000_000_000 + ns
        if 127 < self._buffer[0] < 192 and not 192 <= self._buffer[1] < 224:
            self._packets(n_bytes, size, there_ns - time.time_ns() + time.monotonic_ns())
        else:
            for at in range(0, n_bytes, size):
                data = bytes(self._buffer[at : min(at + size, n_bytes)])
                self._protocol.datagram_received(data, address)

    def _packets(self, n_bytes: int, size: int, there_ns: int) -> None:
        """Take RTP packets that left together; only the first one and the last are looked at."""
        n = -(-n_bytes // size)
        last = (n - 1) * size
        (seq,), (last_seq,) = (_U16.unpack_from(self._buffer, at + 2) for at in (0, last))
        if self._next_seq is not None:
            self._tally.n_lost += (seq - self._next_seq) & 0xFFFF
        self._tally.n_lost += (last_seq - seq - n + 1) & 0xFFFF
        self._next_seq = (last_seq + 1) & 0xFFFF
        self._n_bytes += n_bytes
        if self._buffer[last + 1] & 0x80:  # the marker: the last packet of a frame
            payload = self._srtp.unprotect(bytes(self._buffer[last:n_bytes]))
            header = FrameHeader.unpack(payload[-2 - HEADER_BYTES : -2])
            there_ms = time.monotonic() * 1000
            ack = p.Ack(frame_no=header.frame_no, of_rtc=True, there_ms=there_ms)
            self._viewer.acknowledge(ack)
            self._tally.came(header, self._n_bytes, there_ns)
            self._n_bytes = 0


def _handed_over(handover: Path) -> tuple[socket.socket, socket.socket]:
    """Connect over TCP, and hand the server's end over; returns our end and the lease."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    lease = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    lease.connect(str(handover))
    with theirs:
        socket.send_fds(lease, [_REQUEST], [theirs.fileno()])
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ours.setblocking(False)
    return ours, lease


def _message_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Kind, begin and end of the WebSocket message at `at`; None while its head is not there."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1] & 0x7F, at + 2
    if size >= 126:
        length = _U16 if size == 126 else _U64
        if len(data) < begin + length.size:
            return None
        (size,) = length.unpack_from(data, begin)
        begin += length.size
    return data[at] & 0x0F, begin, begin + size


async def connect(
    files: RuntimeFiles, token: str, transport: Literal["websocket", "webrtc"], tally: Tally
) -> Callable[[], None]:
    """Have one viewer look; returns what ends that, once its first picture is there."""
    viewer = SocketReceiver(files.handover, token, tally)
    await viewer.shown.wait()
    if transport == "websocket":
        return viewer.close
    from blustream_widget.testing.rtc_client import RtcClient

    rtc = RtcClient()
    offer = p.RtcOffer(sdp=await rtc.offer(), takes_encoded=True)
    answer = await viewer.ask(offer, MessageType.RTC_ANSWER)
    await rtc.accept(json.loads(answer)["sdp"])
    await rtc.opened()
    receiver = RtcReceiver(viewer, rtc, tally)
    viewer.send(p.Stream(path="webrtc"))

    def close() -> None:
        receiver.close()
        viewer.close()

    return close


async def main(folder: str, token: str, n: int, transport: Literal["websocket", "webrtc"]) -> None:
    """Connect one viewer after the other, then answer the benchmark until it closes our input."""
    loop = asyncio.get_running_loop()
    files = runtime_files(Config(runtime_dir=folder))
    tally = Tally()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with AsyncExitStack() as stack:
        for _ in range(n):
            async with asyncio.timeout(_START_TIMEOUT_S):
                stack.callback(await connect(files, token, transport, tally))
        print("ready", flush=True)
        while line := await lines.readline():
            if line == b"start\n":
                tally.forget()
            else:
                print(tally.as_json(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))  # type: ignore[arg-type]  # of the benchmark
