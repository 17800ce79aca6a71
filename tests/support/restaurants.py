"""A server whose every path is a restaurant of its own, and a round of the checker."""

import asyncio

from restmon.polling.addresses import StoreAddress
from restmon.polling.rounds import Outcome, Plan, Round

failing_once: set[str] = set()


async def answers(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Each path is a restaurant of its own."""
    path = head.split(b" ")[1].decode()
    kind = path.split("/")[1]

    def send(status: str, body: bytes = b"", *more: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
        writer.write("\r\n".join(lines).encode() + body)

    if kind == "hang":
        await reader.read()
    elif kind == "slow":
        await asyncio.sleep(0.05)
        send("200 OK", b"Order now")
    elif kind == "drip":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.05)
    elif kind == "huge":
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()
    elif kind == "once" and path not in failing_once:
        failing_once.add(path)
        send("500 Oops")
    elif kind == "redirect":
        send("302 Found", b"", "Location: /ok")
    elif kind == "away":
        send("302 Found", b"", f"Location: http://127.0.0.2:{path.split('/')[2]}/ok")
    elif kind == "loop":
        send("301 Moved", b"", "Location: /loop")
    elif kind == "garbage":
        writer.write(b"SSH-2.0\r\n\r\n")
    elif kind.isdigit():
        send(f"{kind} Status")
    elif kind != "silent":
        send("200 OK", "<b>ORDER NOW</b> at Café".encode())
    await writer.drain()


def run_round(addresses: list[StoreAddress], *references: str, seconds: float = 30.0) -> Outcome:
    async def once() -> Outcome:
        return await Round(Plan(50, seconds, references), asyncio.Event()).run(addresses)

    return asyncio.run(once())
