"""Background tasks that are kept, named, logged when they fail, and ended together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class TaskSet:
    """Tasks of one owner: asyncio alone would forget them and lose their errors."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, body: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Start `body` on the running loop."""
        task = asyncio.get_running_loop().create_task(body, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s failed", task.get_name(), exc_info=error)

    async def wait(self) -> None:
        """Wait until all are done."""
        while others := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.gather(*others, return_exceptions=True)

    async def close(self) -> None:
        """Cancel what still runs and wait for its end. The calling task is left out."""
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
