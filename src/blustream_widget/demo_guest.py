"""A guest by script: comes by a link as a browser does, to try sharing out alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from blustream_widget.config import load_config
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.errors import ShareError

if TYPE_CHECKING:
    from blustream_widget.sharing import ShareLink
    from blustream_widget.testing.clients import ViewerClient

M = TypeVar("M")


@asynccontextmanager
async def demo_guest(link: ShareLink, name: str = "Ada") -> AsyncIterator[DemoGuest]:
    """Let a guest come by a link, for the length of the block.

    Parameters
    ----------
    link : ShareLink
        Of a viewer of this kernel.
    name : str

    Raises
    ------
    ShareError
        The server does not let them in: the link is full, or has ended.

    Examples
    --------
    >>> async with demo_guest(viewer.share(role="editor")) as ada:   # doctest: +SKIP
    ...     await ada.say("Look at this")
    ...     await ada.go_to(20)
    """
    from blustream_widget.server.discovery import find_or_start
    from blustream_widget.testing.clients import connect_viewer

    address = await asyncio.to_thread(find_or_start, load_config())
    async with connect_viewer(address, None) as client:
        await client.send(sm.Join(code=link._code, name=name, protocol=p.PROTOCOL_VERSION))
        joined = await _hear(client, sm.Joined)
        await client.send(p.Hello(token=joined.token))
        await _hear(client, p.Welcome, condition=lambda m: m.info is not None)
        yield DemoGuest(client)


class DemoGuest:
    """What a guest does; `demo_guest` makes it.

    Parameters
    ----------
    client : ViewerClient
        Let in.
    """

    def __init__(self, client: ViewerClient) -> None:
        self._client = client
        self._seq = 0

    @property
    def n_pictures(self) -> int:
        """Pictures that came so far."""
        return len(self._client.frames)

    async def say(self, text: str) -> None:
        """Say a line of at most 500 characters, and wait until all have it."""
        await self._client.send(sm.Say(text=text))
        await self._client.message(sm.Chat, lambda chat: any(s.text == text for s in chat.lines))

    async def point_at(self, index: Sequence[float]) -> None:
        """Hold the pointer over a place (i, j, k), in voxels."""
        i, j, k = index
        await self._client.send(sm.Point(voxel=(i, j, k)))

    async def go_to(self, slice_idx: int) -> None:
        """Show a slice of the axis that is shown, and wait for its picture.

        Raises
        ------
        ShareError
            The role does not allow it, or there is no such slice.
        """
        self._seq += 1
        n_heard = len(self._client.inbox.items)
        await self._client.send(vm.ChangeSlice(seq=self._seq, slice_idx=slice_idx))
        told = await _hear(self._client, vm.State, n_heard, lambda m: m.seq >= self._seq)
        shown = told.state.revision
        await self._client.frame(lambda header: header.revision >= shown)


async def _hear(
    client: ViewerClient,
    kind: type[M],
    n_heard: int = 0,
    condition: Callable[[M], bool] = lambda _: True,
) -> M:
    """Wait for a message after the first `n_heard`; a refusal that comes in its place is raised."""

    def search() -> tuple[M | p.Error] | None:
        for item in client.inbox.items[n_heard:]:
            if isinstance(item, p.Error):
                return (item,)
            if isinstance(item, kind) and condition(item):
                return (item,)
        return None

    (found,) = await client.inbox.until(search, kind.__name__)
    if isinstance(found, p.Error):
        raise ShareError(found.message, hint=found.hint)
    return found
