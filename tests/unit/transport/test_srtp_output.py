"""SrtpOutput on two sockets of this machine: what is sent can be decrypted and is in order."""

import errno
import socket
from types import SimpleNamespace

import pylibsrtp
import pytest
from aiortc import rtp
from pylibsrtp import Policy

from blustream_widget.errors import TransportError
from blustream_widget.transport.rtp_burst import HEAD, Burst
from blustream_widget.transport.srtp_output import SrtpOutput

PROFILES = {
    "GCM, 256 bits": (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    "GCM, 128 bits": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    "CM and SHA-1": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
}
PAYLOADS = [b"a" * 1300, b"b" * 1300, b"c" * 900, b"d" * 1300, b"e" * 10]


def session(profile: str, *, outgoing: bool) -> pylibsrtp.Session:
    number, key_bytes = PROFILES[profile]
    kind = Policy.SSRC_ANY_OUTBOUND if outgoing else Policy.SSRC_ANY_INBOUND
    policy = Policy(key=bytes(range(key_bytes)), ssrc_type=kind, srtp_profile=number)
    return pylibsrtp.Session(policy)


class FakeTransport:
    """asyncio's way, which keeps what it is given."""

    def __init__(self, sock: socket.socket | None) -> None:
        self._socket = sock
        self.kept: list[bytes] = []

    def get_extra_info(self, _name: str) -> socket.socket | None:
        return self._socket

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.kept))

    def sendto(self, data: bytes, _address: object) -> None:
        self.kept.append(data)


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        found.settimeout(5)
        yield found


@pytest.fixture
def sending():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        yield found


@pytest.fixture
def made(request, sending, receiver):
    """`(output, transport, packets)`; the profile is a parameter."""
    profile = getattr(request, "param", "GCM, 256 bits")
    transport = FakeTransport(sending)
    pair = SimpleNamespace(
        protocol=SimpleNamespace(transport=transport), remote_addr=receiver.getsockname()
    )
    keys = session(profile, outgoing=True)  # the output keeps no reference
    output = SrtpOutput(keys, pair)
    incoming = session(profile, outgoing=False)

    def packets(n: int) -> list[rtp.RtpPacket]:
        return [rtp.RtpPacket.parse(incoming.unprotect(receiver.recv(2048))) for _ in range(n)]

    yield output, transport, packets
    output.close()


def send(output: SrtpOutput, first_seq: int = 0) -> int:
    burst = Burst(PAYLOADS, HEAD.size, has_end=True)
    return output.send_burst(burst, HEAD.pack(0x80, 102, 0, 5, 1), first_seq)


@pytest.mark.parametrize("made", PROFILES, indirect=True)
def test_what_is_sent_can_be_decrypted_whatever_was_agreed_on(made) -> None:
    output, _, packets = made
    n_bytes = send(output, 77)
    found = packets(len(PAYLOADS))
    assert [packet.payload for packet in found] == PAYLOADS
    assert [packet.sequence_number for packet in found] == [77, 78, 79, 80, 81]
    assert n_bytes > sum(map(len, PAYLOADS)) + len(PAYLOADS) * (HEAD.size + 10) - 1


def test_where_the_system_cuts_nothing_each_packet_is_sent_by_itself(made) -> None:
    output, transport, packets = made
    own, calls = output._socket, []

    class Refusing:
        def sendmsg(self, parts, *_others):
            calls.append(len(parts))
            raise OSError(errno.EIO, "no segments here")

        def __getattr__(self, name):
            return getattr(own, name)

    output._socket = Refusing()
    send(output)
    send(output, 5)
    assert [packet.payload for packet in packets(10)] == PAYLOADS * 2
    assert calls == [3]  # it is asked once
    assert transport.kept == []


def test_what_the_network_does_not_take_is_kept_in_order_and_counts_as_unsent(made) -> None:
    output, transport, packets = made
    own = output._socket

    class Full:
        def sendmsg(self, *_given):
            raise BlockingIOError

        sendto = sendmsg

        def close(self):
            own.close()

    output._socket = Full()
    assert not output.has_unsent
    send(output)
    assert output.has_unsent
    assert len(transport.kept) == len(PAYLOADS)
    # What comes now goes behind that, although the network would take it again.
    output._socket = own
    send(output, 5)
    assert len(transport.kept) == 2 * len(PAYLOADS)
    transport.kept.clear()
    assert not output.has_unsent
    send(output, 10)
    assert [packet.sequence_number for packet in packets(5)] == [10, 11, 12, 13, 14]


def test_a_relay_has_a_way_of_its_own(receiver) -> None:
    transport = FakeTransport(None)
    pair = SimpleNamespace(
        protocol=SimpleNamespace(transport=transport), remote_addr=receiver.getsockname()
    )
    keys = session("GCM, 128 bits", outgoing=True)
    output = SrtpOutput(keys, pair)
    send(output)
    output.send_packet(HEAD.pack(0x80, 103, 7, 5, 2) + b"again")
    incoming = session("GCM, 128 bits", outgoing=False)
    found = [rtp.RtpPacket.parse(incoming.unprotect(data)) for data in transport.kept]
    assert [packet.payload for packet in found] == [*PAYLOADS, b"again"]
    assert not output.has_unsent


def test_a_packet_that_cannot_be_encrypted_says_so(made) -> None:
    output, _, packets = made
    send(output, 100)
    packets(len(PAYLOADS))
    with pytest.raises(TransportError):
        send(output, 100)  # the very same numbers: their key stream must not be used twice
