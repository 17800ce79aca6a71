"""``python -m restmon poll``."""

import asyncio
import signal
from pathlib import Path

import click

from jobs import tasks
from jobs.queue import huey
from restmon import logs
from restmon.polling.addresses import StoreAddress, read_addresses
from restmon.polling.rounds import REFERENCES, Plan, run_rounds
from restmon.settings import get_settings
from restmon.storage import database


@click.command("poll")
@click.option(
    "--addresses",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV with store_id,url,expect, or a JSON array. expect: a status, a text, or nothing.",
)
@click.option(
    "--every", type=click.IntRange(1, 1440), default=15, show_default=True, help="Minutes."
)
@click.option("--once", is_flag=True, help="Ask all once, then end.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    help="How many addresses are asked at once.",
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(0.1, 120),
    default=10,
    show_default=True,
    help="Seconds that an answer may take.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    default=REFERENCES,
    help="Address that answers whenever this machine is online. May be given several times.",
)
def poll(
    addresses: Path,
    every: int,
    once: bool,
    concurrency: int,
    seconds: float,
    references: tuple[str, ...],
) -> None:
    """Ask each store's own address whether it is online, and store the answers as polls.

    Runs until Ctrl-C. An address that fails is asked twice before its store is inactive.
    """
    logs.configure()
    database.configure(get_settings())
    huey.connect()
    first, problems = read_addresses(addresses)
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"{len(first):,} addresses.")

    def read() -> list[StoreAddress]:
        return read_addresses(addresses)[0]

    def tell(sentence: str) -> None:
        click.echo(sentence)
        tasks.announce_live_changes()

    async def run() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(one, stopped.set)
        plan = Plan(concurrency, seconds, references)
        await run_rounds(read, plan, None if once else every * 60.0, stopped, tell)

    asyncio.run(run())
