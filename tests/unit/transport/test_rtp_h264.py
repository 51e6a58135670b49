"""Payloads of an access unit, put together again as RFC 6184 says."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blustream_widget.transport.rtp_h264 import MAX_PAYLOAD_BYTES, Payload, plan_payloads


def payload_bytes(data: bytes, payload: Payload) -> bytes:
    return payload.prefix + data[payload.begin : payload.end]


def units_of(packets: list[bytes]) -> list[bytes]:
    """What a receiver makes of the payloads."""
    units: list[bytes] = []
    for packet in packets:
        kind = packet[0] & 0x1F
        if kind == 24:
            at = 1
            while at < len(packet):
                (size,) = struct.unpack_from("!H", packet, at)
                units.append(packet[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == 28:
            if packet[1] & 0x80:
                units.append(bytes([packet[0] & 0x60 | packet[1] & 0x1F]))
            units[-1] += packet[2:]
        else:
            units.append(packet)
    return units


def unit(first: int, size: int) -> bytes:
    # No zeros: a unit holds no start code.
    return bytes([first]) + bytes(1 + i % 255 for i in range(size - 1))


@given(
    units=st.lists(
        st.builds(
            unit,
            st.sampled_from([0x67, 0x68, 0x65, 0x41, 0x06]),
            st.integers(1, 3 * MAX_PAYLOAD_BYTES),
        ),
        min_size=1,
        max_size=8,
    ),
    long_codes=st.booleans(),
    front=st.binary(max_size=60),
)
def test_a_receiver_gets_the_units_that_were_sent(units, long_codes, front) -> None:
    code = b"\0\0\0\1" if long_codes else b"\0\0\1"
    data = front + b"".join(code + u for u in units)
    payloads = plan_payloads(data, len(front))
    packets = [payload_bytes(data, payload) for payload in payloads]
    assert units_of(packets) == units
    assert [len(packet) for packet in packets] == [payload.size for payload in payloads]
    assert max(map(len, packets)) <= MAX_PAYLOAD_BYTES


def test_parameter_sets_share_a_packet() -> None:
    data = b"".join(b"\0\0\0\1" + u for u in (unit(0x67, 20), unit(0x68, 5), unit(0x65, 4000)))
    assert next(p.size for p in plan_payloads(data)) == 1 + 2 + 20 + 2 + 5


def test_all_packets_of_a_large_unit_but_the_last_have_one_size() -> None:
    data = b"\0\0\1" + unit(0x65, 10_000)
    sizes = [payload.size for payload in plan_payloads(data)]
    assert set(sizes[:-1]) == {MAX_PAYLOAD_BYTES}


@pytest.mark.parametrize("data", [b"", b"no start code", b"\0\0\1"])
def test_without_a_unit_there_is_no_packet(data) -> None:
    assert plan_payloads(data) == []


@pytest.mark.parametrize("n_packets", [1, 2, 5])
def test_the_end_of_a_trailer_is_never_cut_in_two(n_packets) -> None:
    # A packet that is sent has a number of its own in the last two bytes.
    step = MAX_PAYLOAD_BYTES - 2
    for size in range(n_packets * step - 2, n_packets * step + 4):
        data = b"\0\0\1" + unit(0x65, 1 + size)
        payloads = plan_payloads(data, trailer_bytes=53)
        last = payloads[-1]
        assert last.end - last.begin >= 2
        assert len({payload.size for payload in payloads[:-1]}) <= 1
        assert units_of([payload_bytes(data, payload) for payload in payloads]) == [data[3:]]


@given(
    sizes=st.lists(st.integers(1, 2 * MAX_PAYLOAD_BYTES), min_size=1, max_size=4),
    trailer=st.one_of(st.binary(max_size=60), st.just(b"\x01\0\0\1\x65\0\0\1")),
    zeros=st.integers(0, 2),
)
def test_a_trailer_stays_behind_the_last_unit_whatever_is_in_it(sizes, trailer, zeros) -> None:
    units = [unit(0x41, size) for size in sizes]
    units[-1] += bytes(zeros)
    data = b"".join(b"\0\0\0\1" + u for u in units) + trailer
    payloads = plan_payloads(data, trailer_bytes=len(trailer))
    found = units_of([payload_bytes(data, payload) for payload in payloads])
    assert found == [*units[:-1], units[-1] + trailer]
    assert all(payload.size <= MAX_PAYLOAD_BYTES for payload in payloads)
