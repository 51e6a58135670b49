"""Who may change traits, and that nobody waits for it for long."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import traitlets as t

from blustream_widget._kernel_loop import KernelLoop
from blustream_widget._trait_lock import TRAIT_LOCK, LockedTraits
from blustream_widget.runtime import start_thread


class Light(LockedTraits):
    level = t.Int()


def test_an_observer_may_wait_for_threads_that_set_traits() -> None:
    lights = [Light() for _ in range(3)]

    def passed_on(change) -> None:
        with ThreadPoolExecutor(len(lights)) as threads:
            list(threads.map(lambda light: setattr(light, "level", change.new), lights))

    leading = Light()
    leading.observe(passed_on, "level")
    setting = start_thread(lambda: setattr(leading, "level", 7), name="test: sets")
    setting.join(20)
    assert not setting.is_alive()
    assert [light.level for light in lights] == [7, 7, 7]
    assert is_free()
    with TRAIT_LOCK:
        assert not is_free()


def is_free() -> bool:
    """Whether another thread may have it now."""

    def look() -> bool:
        if not TRAIT_LOCK.take(0.0):
            return False
        TRAIT_LOCK.give()
        return True

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(look).result()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_forked_process_waits_for_no_thread_that_it_has_not() -> None:
    held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with TRAIT_LOCK:
            held.set()
            may_end.wait(10)

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(hold)
        assert held.wait(10)
        if (child := os.fork()) == 0:
            os._exit(0 if TRAIT_LOCK.take(0.0) else 1)
        _, status = os.waitpid(child, 0)
        may_end.set()
        holding.result(10)
    assert os.waitstatus_to_exitcode(status) == 0


def test_what_waits_runs_once_and_in_order_whoever_runs_it() -> None:
    with ThreadPoolExecutor(1) as thread:
        loop = thread.submit(KernelLoop).result()  # as in a script: no loop runs here
    ran: list[int] = []

    def first() -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(loop.call, lambda: ran.append(2)).result(10)
        loop.call(lambda: ran.append(3))
        ran.append(1)

    loop.call(first)
    assert ran == [1, 2, 3]


async def test_while_it_is_held_for_long_the_link_looks_seldom(monkeypatch) -> None:
    loop = await asyncio.to_thread(KernelLoop)  # as in a script: no loop runs on that thread
    here = asyncio.get_running_loop()
    held, may_end, looks, ran = threading.Event(), threading.Event(), [], []
    have_run = asyncio.Event()

    def hold() -> None:
        with TRAIT_LOCK:
            held.set()
            assert may_end.wait(10)

    holding = asyncio.create_task(asyncio.to_thread(hold))
    await asyncio.to_thread(held.wait, 10)
    call_later = here.call_later
    has_looked = asyncio.Event()

    def look_later(delay, look):
        looks.append(delay)
        if len(looks) == 4:
            has_looked.set()
        return call_later(delay, look)

    monkeypatch.setattr(here, "call_later", look_later)
    for number in range(50):
        loop.call(lambda number=number: ran.append(number))
    loop.call(have_run.set)
    assert len(looks) == 1
    async with asyncio.timeout(10):
        await has_looked.wait()
    assert looks[:4] == sorted(looks[:4])
    assert looks[3] > looks[0]
    assert ran == []
    may_end.set()
    async with asyncio.timeout(10):
        await holding
        await have_run.wait()
    assert ran == list(range(50))
