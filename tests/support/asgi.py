"""Requests to an ASGI application in this process, without a server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx


class Visitor:
    """Somebody who asks an application at http://127.0.0.1, and follows no redirect."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, path: str) -> httpx.Response:
        return self._ask("GET", path)

    def post(self, path: str, **how: Any) -> httpx.Response:
        return self._ask("POST", path, **how)

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as who:
                return await who.request(method, path, **how)

        # In a thread: Playwright keeps a loop in this one.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, ask()).result()
