"""Throttle: the first call now, the last one for sure."""

import asyncio

from blustream_widget.transport.throttle import Throttle


async def test_the_first_call_runs_at_once_and_the_rest_once_at_the_end():
    runs = []
    done = asyncio.Event()

    def action():
        runs.append(value)
        if len(runs) == 2:
            done.set()

    throttle = Throttle(0.01, action)
    for value in range(10):  # noqa: B007  read by the action when it runs
        throttle.call()
    assert runs == [0]
    async with asyncio.timeout(2):
        await done.wait()
    assert runs == [0, 9]


async def test_an_action_with_nothing_to_do_does_not_delay_the_next():
    runs = []

    def action():
        runs.append(1)
        return False

    throttle = Throttle(60, action)
    throttle.call()
    throttle.call()
    assert len(runs) == 2


async def test_after_close_a_waiting_call_is_forgotten():
    runs = []
    throttle = Throttle(60, lambda: runs.append(1))
    throttle.call()
    throttle.call()
    throttle.close()
    assert runs == [1]
