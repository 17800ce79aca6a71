"""Slows down password guessing. It counts the recent wrong passwords in the audit.

A pair of account and address is refused after 5 of them, an address after 30, an account after 100.
The last two limits only delay an account that has logged in from that address before, or that an
operator has just unlocked. So guesses from elsewhere, or behind the same proxy, lock nobody out.
"""

from time import sleep

from peewee import fn

from restmon.access import audit
from restmon.core.instants import SECOND
from restmon.errors import TooManyTries
from restmon.storage.access_models import Account, AuditEntry
from restmon.storage.database import session
from restmon.storage.models import now

WITHIN = 15 * 60 * SECOND
MOST_OF_PAIR, MOST_OF_ADDRESS, MOST_OF_ACCOUNT = 5, 30, 100
"""The most wrong passwords within that time: for an account from one address, from an address, for
an account."""
FAILURES = [audit.LOGIN_FAILED, audit.CHECK_FAILED]
DELAY_SECONDS = 2.0


def delay(account: str, address: str) -> None:
    """Wait 2 seconds where an account, or an address, had many wrong passwords recently."""
    if _busy(account, address):
        sleep(DELAY_SECONDS)


def check(account: str, address: str) -> None:
    """Raise TooManyTries unless the address may try a password of the account (`same_email`)."""
    since = _since(account)
    tried = _failures(since, AuditEntry.actor == account, AuditEntry.address == address)
    trusted = since > now() - WITHIN or _logged_in_before(account, address)
    if tried >= MOST_OF_PAIR or (_busy(account, address) and not trusted):
        raise TooManyTries(
            "There were too many failed logins.",
            f"Wait {WITHIN // SECOND // 60} minutes and try again, or ask an operator to unlock "
            "the account.",
        )


def _busy(account: str, address: str) -> bool:
    begin = now() - WITHIN
    return (
        _failures(begin, AuditEntry.address == address) >= MOST_OF_ADDRESS
        or _failures(_since(account), AuditEntry.actor == account) >= MOST_OF_ACCOUNT
    )


def _failures(since: int, *where: object) -> int:
    with session():
        query = AuditEntry.select(fn.COUNT(AuditEntry.id)).where(
            AuditEntry.at > since, AuditEntry.action.in_(FAILURES), *where
        )
        return int(query.scalar())


def _since(account: str) -> int:
    """The instant from which the account's failures count. Unlocking it starts the count anew."""
    begin = now() - WITHIN
    with session():
        unlocked = (
            AuditEntry.select(fn.MAX(AuditEntry.at))
            .where(AuditEntry.at > begin, AuditEntry.action == audit.UNLOCKED)
            .where(AuditEntry.subject == account)
            .scalar()
        )
    return unlocked or begin


def _logged_in_before(account: str, address: str) -> bool:
    """Whether the account has logged in from the address."""
    shown = Account.select(Account.email).where(Account.same_email == account)
    with session():
        return (
            AuditEntry.select()
            .where(AuditEntry.actor.in_(shown), AuditEntry.action == audit.LOGGED_IN)
            .where(AuditEntry.address == address)
            .exists()
        )
