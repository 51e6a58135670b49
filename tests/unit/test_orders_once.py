"""What Python orders is done once, however its connection breaks and whichever server comes."""

from __future__ import annotations

import time

import pytest
from tests.unit.session.sharing_kit import tell_people
from tests.unit.world_kit import volume_in, world_of

from blustream_widget.core import link_protocol as lp
from blustream_widget.link_orders import export_note
from blustream_widget.server.taken_orders import MAX_KERNELS, TakenOrders


@pytest.fixture
async def world(tmp_path):
    async with world_of(volume_in(tmp_path), tmp_path / "kept") as one:
        one.viewer.share("viewer")
        await one.settle()
        yield one


def export(world, what="exported CSV") -> None:
    world.kernel.order(export_note(world.id, what))


def exports(world) -> list[str]:
    records = world.hub.find(world.id).sharing.audit.records
    return [record.what for record in records if record.what.startswith("exported")]


def send_all(world) -> None:
    """Have the server take everything that is on its way, and answer in vain."""
    for _ in range(25):
        world.send_one()


async def test_each_export_of_a_time_without_a_server_is_noted_with_its_time(world):
    world.break_off()
    for what in ("exported CSV", "exported labels", "exported CSV"):
        export(world, what)
    done_ms = time.time() * 1000
    await world.settle()
    assert exports(world) == ["exported CSV", "exported labels", "exported CSV"]
    records = list(world.hub.find(world.id).sharing.audit.records)[-3:]
    assert all(record.at_ms <= done_ms for record in records)
    assert [record.who for record in records] == ["owner"] * 3
    tell_people(world.hub.find(world.id))
    await world.settle()
    assert [record.what for record in world.viewer.audit[-3:]] == exports(world)


@pytest.mark.parametrize("n_broken", [1, 3])
async def test_an_export_that_was_taken_is_not_noted_again(world, n_broken):
    export(world)
    export(world)
    for _ in range(n_broken):
        send_all(world)
        world.break_off()
        world.connect()
    await world.settle()
    export(world)
    await world.settle()
    assert exports(world) == ["exported CSV"] * 3


async def test_an_export_that_a_killed_server_did_not_take_is_noted_by_the_next(world):
    export(world)
    await world.kill()
    await world.settle()
    assert exports(world) == ["exported CSV"]


async def test_the_end_of_sharing_does_not_end_what_is_shared_after_it(world):
    world.viewer.stop_sharing()
    link = world.viewer.share("viewer")
    send_all(world)
    world.break_off()  # the server has taken both, and the kernel does not know
    await world.settle()
    assert link.is_open
    assert [one.is_open for one in world.hub.find(world.id).sharing._guests.links] == [True]


async def test_a_recording_and_its_end_are_in_the_record_however_soon(world):
    sharing = world.hub.find(world.id).sharing
    for on in (True, False, True):
        sharing.recorded(None, on=on)
    whats = [record.what for record in sharing.audit.records][-3:]
    assert whats == ["began a recording", "ended a recording", "began a recording"]


def test_orders_of_one_kernel_are_not_those_of_another():
    taken = TakenOrders()
    assert [taken.take("a", 1), taken.take("b", 1), taken.take("a", 2)] == [True] * 3
    assert [taken.take("a", n) for n in (1, 2, 5, 5)] == [False, False, True, False]


def test_so_many_kernels_are_remembered():
    taken = TakenOrders()
    taken.take("first", 1)
    for n in range(MAX_KERNELS - 1):
        taken.take(str(n), 1)
    taken.take("first", 2)
    taken.take("one more", 1)
    assert not taken.take("first", 2)
    assert taken.take("0", 1)  # that had ordered longest ago


def test_an_order_survives_the_way():
    order = lp.Order(kernel="0" * 16, n=1, what=export_note("s", "saved a picture"))
    assert lp.to_server_decoder.decode(lp.encoder.encode(order)) == order
