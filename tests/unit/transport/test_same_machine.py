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
    assert is_same_machine(found) == is_same
