"""A shared view without Jupyter, for people who call each other; started in their network.

`python call_host.py` starts the server with fake workers, opens a session as a kernel does, shares
it, makes the server reachable by TCP and prints its links. Each line that comes is the name of
somebody who is shown out.
"""

from __future__ import annotations

import asyncio
import sys

from blustream_widget.config import load_config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.server.discovery import find_or_start
from blustream_widget.testing.clients import KernelClient, connect_kernel
from blustream_widget.testing.tcp_bridge import bridged

# Two links, as one by which somebody came who was shown out lets nobody in any more.
LINKS = {"a" * 16: "g" * 32, "b" * 16: "h" * 32}


async def remove(kernel: KernelClient, session: str, name: str) -> None:
    """Show somebody out."""
    told = await kernel.message(ls.Shared, lambda m: any(q.name == name for q in m.people))
    person = next(q.id for q in told.people if q.name == name)
    await kernel.send(ls.ManagePerson(session=session, person=person, action="remove"))


async def main() -> None:
    """Serve until the standard input ends."""
    address = await asyncio.to_thread(
        find_or_start, load_config(), worker_module="blustream_widget.testing.fake_worker"
    )
    async with connect_kernel(address) as kernel:
        opened = await kernel.open("fake:96x64x32")
        for key, code in LINKS.items():
            link = {"id": key, "code": code, "role": "viewer", "max_viewers": 9}
            await kernel.send(ls.OpenLink(session=opened.session, expires_s=3600.0, **link))
        await kernel.message(ls.Shared, lambda m: len(m.links) == len(LINKS))
        with bridged(address.socket_path) as port:
            links = (f"http://127.0.0.1:{port}/guest#{code}" for code in LINKS.values())
            sys.stdout.write(" ".join(links) + "\n")
            sys.stdout.flush()
            while name := (await asyncio.to_thread(sys.stdin.readline)).strip():
                await remove(kernel, opened.session, name)
            await kernel.send(lp.CloseSession(session=opened.session))


if __name__ == "__main__":
    asyncio.run(main())
