"""What every publisher must promise, whichever SFU it is for; a fresh harness for each check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.publisher import Publisher
from blustream_widget.testing.contracts.transport import make_frame

TIMEOUT_S = 30.0


class PublisherHarness(Protocol):
    """An SFU that runs, and what is published there."""

    def publisher(self, on_keyframe: Callable[[], None], *, is_wrong: bool = False) -> Publisher:
        """Make a publisher, not opened; `is_wrong`: with a secret that is not the SFU's."""

    async def feed(self, publisher: Publisher, n: int) -> list[list[bytes]]:
        """Send frames until `n` have come; NAL units of each, as somebody there gets them."""

    async def is_there(self) -> bool:
        """Whether the view is at the SFU."""

    async def wish_for_keyframe(self) -> None:
        """Ask for a keyframe as somebody there does."""

    async def end_there(self) -> None:
        """Take the view away as somebody there may."""

    async def stop(self) -> None:
        """Let the SFU end as by a crash."""

    async def start(self) -> None:
        """Start it again, at the same address."""


def nal_units(data: bytes) -> list[bytes]:
    """Cut an access unit (Annex B) into its units, without start codes."""
    parts = (part.rstrip(b"\x00") for part in data.split(b"\x00\x00\x01"))
    return [part for part in parts if part]


def _nothing() -> None:
    pass


async def _turn() -> None:
    """Wait as long as a frame takes at 100 frames a second."""
    await asyncio.sleep(0.01)


async def _refusal(publisher: Publisher) -> SfuError:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await publisher.open()
    except SfuError as exc:
        return exc
    finally:
        await publisher.close()
    raise AssertionError("It was let in.")


async def _lost(publisher: Publisher, cause: Callable[[], object]) -> SfuError:
    async with asyncio.timeout(TIMEOUT_S):
        waiting = asyncio.ensure_future(publisher.lost())
        await asyncio.sleep(0)
        result = cause()
        if asyncio.iscoroutine(result):
            await result
        return await waiting


async def check_the_very_frames_arrive(harness: PublisherHarness) -> None:
    """Deliver NAL units as they were given, keyframe first: nothing is encoded again."""
    publisher = harness.publisher(_nothing)
    try:
        await publisher.open()
        came = await harness.feed(publisher, 3)
    finally:
        await publisher.close()
    key, other = (nal_units(bytes(make_frame(1, is_key=k).picture)) for k in (True, False))
    assert len(came) >= 3
    assert came[0] == key
    assert all(units in (key, other) for units in came)


async def check_a_wrong_secret_is_refused(harness: PublisherHarness) -> None:
    """Tell who is not let in so, in a sentence without the secret."""
    error = await _refusal(harness.publisher(_nothing, is_wrong=True))
    assert isinstance(error, SfuRefusedError)
    assert error.hint
    assert "wrong secret" not in f"{error} {error.hint}"
    assert not await harness.is_there()


async def check_an_sfu_that_is_not_there_is_unreachable(harness: PublisherHarness) -> None:
    """Say that nobody answers, and where."""
    await harness.stop()
    error = await _refusal(harness.publisher(_nothing))
    await harness.start()
    assert isinstance(error, SfuUnreachableError)
    assert "127.0.0.1" in str(error)


async def check_a_restart_is_noticed_and_another_publisher_opens(
    harness: PublisherHarness,
) -> None:
    """Take a crash for no refusal; when the SFU is back it takes the view."""
    first = harness.publisher(_nothing)
    try:
        await first.open()
        error = await _lost(first, harness.stop)
    finally:
        await first.close()
    assert isinstance(error, SfuUnreachableError)
    await harness.start()
    second = harness.publisher(_nothing)
    try:
        await second.open()
        assert await harness.feed(second, 1)
    finally:
        await second.close()


async def check_what_somebody_ends_there_is_a_refusal(harness: PublisherHarness) -> None:
    """Take what somebody meant for what is not to be tried again."""
    publisher = harness.publisher(_nothing)
    try:
        await publisher.open()
        await harness.feed(publisher, 1)
        error = await _lost(publisher, harness.end_there)
    finally:
        await publisher.close()
    assert isinstance(error, SfuRefusedError)


async def check_closing_takes_it_away(harness: PublisherHarness) -> None:
    """Leave nothing there; closing twice, or what was never open, is no error."""
    publisher = harness.publisher(_nothing)
    await publisher.open()
    assert publisher.place
    assert await harness.is_there()
    assert await publisher.close()
    assert await publisher.close()
    async with asyncio.timeout(TIMEOUT_S):
        while await harness.is_there():
            await _turn()
    assert publisher.send(make_frame(1, is_key=True)) is False
    await harness.publisher(_nothing).close()


async def check_a_wish_for_a_keyframe_is_heard(harness: PublisherHarness) -> None:
    """Hear of the wish of somebody there."""
    asked = asyncio.Event()
    publisher = harness.publisher(asked.set)
    try:
        await publisher.open()
        await harness.feed(publisher, 1)
        asked.clear()
        await harness.wish_for_keyframe()
        async with asyncio.timeout(TIMEOUT_S):
            while not asked.is_set():
                publisher.send(make_frame(1))  # a view in motion
                await _turn()
    finally:
        await publisher.close()
