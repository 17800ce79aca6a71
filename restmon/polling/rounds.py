"""Rounds of the checker: asks all addresses, many at once, and stores what it finds.

If nearly all addresses are unreachable and so are the reference addresses, the fault is on this
side. Then nothing is stored: a broken line here must not say that every store is down.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from restmon.access.roles import Actor, Role
from restmon.core.instants import as_text
from restmon.errors import DatabaseUnavailable, RestmonError
from restmon.ingest import live_feed
from restmon.ingest.headers import POLLS
from restmon.logs import event
from restmon.notify.safe_http import GuardedTransport, Limits, NotAnswered, fetch, open_client
from restmon.polling.addresses import StoreAddress
from restmon.polling.checks import Finding, check
from restmon.settings import get_settings

CHECKER = Actor("the checker", Role.OPERATOR)
REFERENCES = ("https://www.google.com/generate_204", "https://www.cloudflare.com/cdn-cgi/trace")
"""Asked only where nearly all addresses are unreachable: is the fault on this side?"""
UNREACHABLE_SHARE = 0.9
STORE_EVERY = 1000
STORE_EVERY_SECONDS = 30.0
STORE_TRIES = 5

log = logging.getLogger("restmon.polling")


@dataclass(frozen=True)
class Plan:
    """How to ask: how many addresses at once, for how many seconds each, and the references."""

    concurrency: int = 100
    seconds: float = 10.0
    references: Sequence[str] = REFERENCES


@dataclass
class Outcome:
    """What a round found, in addresses: ``not_asked`` may not be asked, ``left_out`` were found
    unreachable by a fault on this side."""

    active: int = 0
    inactive: int = 0
    not_asked: int = 0
    left_out: int = 0

    def sentence(self, seconds: float) -> str:
        """The round in a sentence."""
        parts = [f"{self.active:,} active", f"{self.inactive:,} inactive"]
        parts += [f"{self.not_asked:,} not asked"] if self.not_asked else []
        parts += [f"{self.left_out:,} left out (no connection here)"] if self.left_out else []
        return f"{', '.join(parts)} in {seconds:.0f} s"


@dataclass
class Round:
    """One round over all addresses. `run` asks and stores until it is done, or ``stopped`` is set;
    then it stores what it has found."""

    plan: Plan
    stopped: asyncio.Event
    outcome: Outcome = field(default_factory=Outcome)
    _found: list[Finding] = field(default_factory=list)
    _storing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stored_at: float = field(default_factory=time.monotonic)

    async def run(self, addresses: Sequence[StoreAddress]) -> Outcome:
        """Ask all addresses, in another order each time."""
        waiting = random.sample(addresses, len(addresses))  # nosec B311
        transport = GuardedTransport(
            get_settings().polled_networks,
            "RESTMON_ALLOW_PRIVATE_POLLS",
            connections=self.plan.concurrency,
        )
        async with open_client(transport) as client:

            async def work() -> None:
                while waiting and not self.stopped.is_set():
                    finding = await check(client, waiting.pop(), self.plan.seconds)
                    self._found.append(finding)
                    if self._is_due():
                        await self._store(client)

            workers = [
                asyncio.create_task(work())
                for _ in range(min(self.plan.concurrency, len(addresses)))
            ]
            everything = asyncio.ensure_future(
                asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            )
            stop = asyncio.ensure_future(self.stopped.wait())
            ends: set[asyncio.Future[Any]] = {everything, stop}
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                async with self._storing:  # a batch that is being stored is stored to its end
                    for task in (everything, stop, *workers):
                        task.cancel()
                results = await asyncio.gather(*workers, return_exceptions=True)
            for error in results:
                if isinstance(error, Exception):
                    raise error
            await self._store(client)
        return self.outcome

    def _is_due(self) -> bool:
        late = time.monotonic() - self._stored_at > STORE_EVERY_SECONDS
        return not self._storing.locked() and (len(self._found) >= STORE_EVERY or late)

    async def _store(self, client: httpx.AsyncClient) -> None:
        """Store what was found so far."""
        async with self._storing:
            batch, self._found = self._found, []
            self._stored_at = time.monotonic()
            asked = [finding for finding in batch if finding.is_active is not None]
            self.outcome.not_asked += len(batch) - len(asked)
            lost = sum(finding.is_unreachable for finding in asked)
            if (
                asked
                and lost >= UNREACHABLE_SHARE * len(asked)
                and not await _any_answers(client, self.plan)
            ):
                self.outcome.left_out += len(asked)
                log.warning(
                    "%s of %s addresses are unreachable, and so are the reference addresses: the "
                    "fault is on this side. Nothing of this is stored.",
                    f"{lost:,}",
                    f"{len(asked):,}",
                )
                return
            for begin in range(0, len(asked), live_feed.MOST_ITEMS):
                await _write(asked[begin : begin + live_feed.MOST_ITEMS])
            active = sum(bool(finding.is_active) for finding in asked)
            self.outcome.active += active
            self.outcome.inactive += len(asked) - active


async def _any_answers(client: httpx.AsyncClient, plan: Plan) -> bool:
    """Whether any reference address answers, whatever it says."""

    async def answers(url: str) -> bool:
        try:
            await fetch(client, "GET", url, limits=Limits(plan.seconds, 1024))
        except NotAnswered as error:
            log.info("reference: %s", error)
            return False
        return True

    return any(await asyncio.gather(*map(answers, plan.references)))


async def _write(findings: Sequence[Finding]) -> None:
    """Store findings as polls, trying again while the database is busy. Raises
    DatabaseUnavailable."""
    items = [
        {
            "store_id": finding.store_id,
            "timestamp_utc": as_text(finding.at),
            "status": "active" if finding.is_active else "inactive",
            "reason": finding.reason,
        }
        for finding in findings
    ]
    for tried in range(1, STORE_TRIES + 1):
        try:
            taken = await asyncio.to_thread(live_feed.take, POLLS, items, CHECKER, "poll")
            break
        except DatabaseUnavailable as error:
            if tried == STORE_TRIES:
                raise
            log.warning("not stored yet: %s", error)
            await asyncio.sleep(2**tried)
    for rejected in taken.rejections:
        log.warning("not stored: %s: %s", items[rejected.line]["store_id"], rejected.reason)


async def run_rounds(
    read: Callable[[], Sequence[StoreAddress]],
    plan: Plan,
    every_seconds: float | None,
    stopped: asyncio.Event,
    tell: Callable[[str], None],
) -> None:
    """Run a round, and others every so many seconds (None: no others) until ``stopped`` is set.

    ``read`` returns the addresses of a round. ``tell`` gets a sentence after each. A round begins
    up to a tenth of the time earlier or later, so that many checkers do not ask at once. An error
    of a later round is logged, and the next one begins at its time.
    """
    is_first = True
    while not stopped.is_set():
        begun = time.monotonic()
        try:
            outcome = await Round(plan, stopped).run(read())
        except RestmonError as error:
            if is_first or every_seconds is None:
                raise
            log.warning("%s", error)
        else:
            seconds = time.monotonic() - begun
            event(log, "polled", seconds=seconds, **vars(outcome))
            tell(outcome.sentence(seconds))
        is_first = False
        if every_seconds is None:
            return
        pause = every_seconds * random.uniform(0.9, 1.1)  # noqa: S311  # nosec B311
        left = begun + pause - time.monotonic()
        if left < 0:
            log.warning("A round took longer than the time between rounds. Ask more at once.")
        try:
            await asyncio.wait_for(stopped.wait(), max(0.0, left))
        except TimeoutError:
            continue
