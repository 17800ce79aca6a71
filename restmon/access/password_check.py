"""Checks the password of an account, and slows down whoever guesses."""

import threading

from restmon.access import audit, passwords, throttle
from restmon.access.account_rows import same_email
from restmon.errors import NotLoggedIn
from restmon.storage.access_models import Account
from restmon.storage.database import session, updating

CHECKS_AT_ONCE = threading.BoundedSemaphore(4)
"""Each check of a password takes 64 MiB."""


def check_password(email: str, password: str, address: str, failure: str) -> Account:
    """The account, if the password is its own. Raises TooManyTries, and NotLoggedIn, which writes
    the action ``failure`` into the audit."""
    name, place = audit.printable(same_email(email)), audit.printable(address)
    throttle.check(name, place)
    throttle.delay(name, place)
    with CHECKS_AT_ONCE:
        # Again in here, so that who asks many times at once is slowed down too.
        throttle.check(name, place)
        with session():
            row = Account.get_or_none(Account.same_email == same_email(email))
        good = passwords.verify(None if row is None else row.password_hash, password)
        if not good or row is None or row.password_hash is None or row.disabled_at is not None:
            with updating():
                audit.note(name, failure, address=place)
            raise NotLoggedIn("E-mail or password is wrong.", "Try again, or ask an operator.")
    return row


def renew_stored_hash(row: Account, password: str) -> None:
    """Hash the password again if the account's hash has the parameters of an earlier release."""
    with CHECKS_AT_ONCE:
        renewed = passwords.renew_hash(str(row.password_hash), password)
    if renewed:
        with session():
            Account.update(password_hash=renewed).where(Account.id == row.id).execute()
