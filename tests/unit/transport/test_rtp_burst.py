"""Bursts: what is laid out once for all viewers becomes the same packets as one made for each."""

import pytest
from aiortc import rtp

from blustream_widget.transport.rtp_burst import BURST_PACKETS, HEAD, Burst, BurstRoom

TAG_BYTES = 16


@pytest.fixture
def room():
    return BurstRoom()


def head(ssrc: int, extensions: bytes = b"") -> bytes:
    return HEAD.pack(0x90 if extensions else 0x80, 102, 0, 90_000, ssrc) + extensions


def packets(room: BurstRoom, burst: Burst) -> list[rtp.RtpPacket]:
    made = [bytes(room.packet(n, room.size(n))) for n in range(len(burst))]
    return [rtp.RtpPacket.parse(packet) for packet in made]


def test_each_viewer_has_heads_of_its_own_and_all_have_the_same_payloads(room) -> None:
    payloads = [b"a" * 1300, b"b" * 1300, b"c" * 700]
    burst = Burst(payloads, HEAD.size, has_end=False)
    for ssrc, first_seq in ((7, 100), (8, 4000)):
        room.put_all(burst, head(ssrc), first_seq)
        made = packets(room, burst)
        assert [p.payload for p in made] == payloads
        assert {(p.ssrc, p.payload_type, p.timestamp, p.marker) for p in made} == {
            (ssrc, 102, 90_000, 0)
        }
        assert [p.sequence_number for p in made] == [first_seq, first_seq + 1, first_seq + 2]


def test_numbers_go_on_at_zero_after_the_largest(room) -> None:
    burst = Burst([b"x"] * BURST_PACKETS, HEAD.size, has_end=False)
    room.put_all(burst, head(1), 0xFFFE)
    assert [p.sequence_number for p in packets(room, burst)][:4] == [0xFFFE, 0xFFFF, 0, 1]


def test_the_last_packet_of_a_frame_is_marked_and_carries_the_viewers_own_end(room) -> None:
    burst = Burst([b"abcd", b"abcd"], HEAD.size, has_end=True)
    room.put_all(burst, head(1), 0, b"\x80\x81")
    assert [(p.marker, p.payload) for p in packets(room, burst)] == [
        (0, b"abcd"),
        (1, b"ab\x80\x81"),
    ]
    room.put_all(burst, head(2), 0)
    assert [p.payload for p in packets(room, burst)] == [b"abcd", b"abcd"]


def test_nothing_of_a_larger_burst_is_left_in_a_smaller_one(room) -> None:
    extensions = b"\xbe\xde\x00\x01\x32\x01\x02\x03"
    large = Burst([b"L" * 1300] * BURST_PACKETS, HEAD.size + len(extensions), has_end=True)
    room.put_all(large, head(1, extensions), 500, b"\x80\x80")
    small = Burst([b"s", b"t"], HEAD.size, has_end=False)
    room.put_all(small, head(2), 9)
    made = packets(room, small)
    assert [(p.payload, p.marker, p.sequence_number) for p in made] == [
        (b"s", 0, 9),
        (b"t", 0, 10),
    ]


@pytest.mark.parametrize(
    ("sizes", "together"),
    [
        ([5], [1]),
        ([9, 9, 9], [3]),
        ([9, 9, 4], [3]),
        ([9, 9, 4, 9, 9, 4], [3, 3]),
        ([4, 9, 9], [1, 2]),
        ([9, 4, 4, 9], [2, 1, 1]),
    ],
)
def test_one_call_takes_packets_of_one_size_and_a_shorter_one_behind_them(
    room, sizes, together
) -> None:
    burst = Burst([bytes(size) for size in sizes], HEAD.size, has_end=True)
    parts = burst.parts(room, TAG_BYTES)
    assert [len(some) for some in parts] == together
    found = [len(part) for some in parts for part in some]
    assert found == [HEAD.size + size + TAG_BYTES for size in sizes]


def test_sizes_count_heads_and_payloads(room) -> None:
    burst = Burst([b"abc", b"de"], 20, has_end=True)
    assert (burst.sizes, burst.n_bytes, burst.payload_bytes) == ((23, 22), 45, 5)
