"""The database as a crawl uses it: from one thread of its own.

So there is one writer, and the reactor never waits for a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from storage.database import Engine, open_database

T = TypeVar("T")


class CrawlDatabase:
    """An engine, and the thread in which all calls with it are made, one after the other."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="copydesk-writer")

    async def open(self) -> None:
        """Open the database; raises DatabaseError if it is unusable."""
        self.engine = await self._in_thread(open_database, self.url)

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call the function with the engine and the arguments in the thread; returns its result."""
        return await self._in_thread(function, self.engine, *arguments)

    async def close(self) -> None:
        """Close the database after the calls that were made before."""
        await self._in_thread(self.engine.dispose)
        self._thread.shutdown(wait=False)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
