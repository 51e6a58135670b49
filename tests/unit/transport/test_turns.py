"""Turns: few at a time, in their order, and none for ever."""

import asyncio

from blustream_widget.transport.turns import Turns


async def test_the_next_one_begins_when_a_turn_ends_and_in_order():
    turns, begun = Turns(1, 60), []

    async def begin(name):
        turn = await turns.take()
        begun.append(name)
        return turn

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(begin(name)) for name in "abc"]
        for n, task in enumerate(tasks, 1):
            turn = await task
            await asyncio.sleep(0)
            assert len(begun) == n
            turn.end()
            turn.end()  # counts once
    assert begun == ["a", "b", "c"]


async def test_a_turn_that_nobody_ends_ends_by_itself():
    turns = Turns(1, 0.01)
    await turns.take()
    async with asyncio.timeout(2):
        await turns.take()


async def test_one_who_does_not_wait_any_longer_takes_no_turn():
    turns = Turns(1, 60)
    turn = await turns.take()
    waiting = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    turn.end()
    async with asyncio.timeout(2):
        await turns.take()
