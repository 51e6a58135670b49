"""Which pairs of addresses lie on one machine."""

from types import SimpleNamespace

import pytest

from blustream_widget.transport.same_machine import is_same_machine


def pair(local, remote, *, local_type="host", remote_type="host"):
    return SimpleNamespace(
        local_addr=(local, 40000),
        remote_addr=(remote, 50000),
        local_candidate=SimpleNamespace(type=local_type),
        remote_candidate=SimpleNamespace(type=remote_type),
    )


@pytest.mark.parametrize(
    ("found", "is_same"),
    [
        (pair("127.0.0.1", "127.0.0.1"), True),
        (pair("10.0.0.5", "10.0.0.5", remote_type="prflx"), True),
        (pair("10.0.0.5", "10.0.0.6"), False),
        # A relay here may serve somebody far away.
        (pair("10.0.0.5", "10.0.0.5", remote_type="relay"), False),
        (pair("10.0.0.5", "10.0.0.5", local_type="relay"), False),
        (None, False),
    ],
)
def test_a_pair_is_one_machines_where_both_ends_have_one_address_and_none_is_a_relay(
    found, is_same
):
    assert is_same_machine(found, may_be_relay=False, round_trip_s=0.02) == is_same


@pytest.mark.parametrize(
    ("round_trip_s", "is_same"),
    [
        (0.0, False),  # not known yet
        (0.0005, True),  # a browser here, which hides its addresses
        (0.03, False),  # somebody far away, behind a relay here that was offered late
    ],
)
def test_where_a_relay_may_run_here_a_learned_address_is_this_machines_only_if_near(
    round_trip_s, is_same
):
    found = pair("10.0.0.5", "10.0.0.5", remote_type="prflx")
    assert is_same_machine(found, may_be_relay=True, round_trip_s=round_trip_s) == is_same
    known = pair("10.0.0.5", "10.0.0.5")
    assert is_same_machine(known, may_be_relay=True, round_trip_s=round_trip_s)
