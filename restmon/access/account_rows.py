"""Rows of accounts: finding one by its e-mail address, and ending its sessions."""

import re
import unicodedata

from restmon.errors import BadRequest, NotFound
from restmon.storage.access_models import Account, PasswordLink, Session
from restmon.storage.database import session
from restmon.storage.models import now

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.][^@\s]{0,180}")
LONGEST_EMAIL = 254


def checked_email(text: str) -> str:
    """The e-mail address without blanks around it. Raises BadRequest for other text."""
    email = text.strip()
    odd = any(unicodedata.category(letter)[0] == "C" for letter in email)
    if odd or len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email):
        raise BadRequest(
            f"{text[:80]!r} is not an e-mail address.", "Write it as name@example.com."
        )
    return email


def same_email(email: str) -> str:
    """The form under which e-mail addresses are the same, whatever their case."""
    return unicodedata.normalize("NFKC", email.strip()).casefold().replace("\0", "?")


def find_account(email: str) -> Account:
    """The account of an e-mail address; raises NotFound. The caller holds a connection."""
    row = Account.get_or_none(Account.same_email == same_email(email))
    if row is None:
        raise NotFound(f"There is no account {email[:80]!r}.", "python -m restmon accounts list")
    return row


def known_account(email: str) -> Account:
    """`find_account` with a connection of its own."""
    with session():
        return find_account(email)


def end_sessions_of(row: Account) -> int:
    """End all logins of an account, also those by OIDC. Returns how many password logins ended."""
    Account.update(logged_out_at=now()).where(Account.id == row.id).execute()
    return int(Session.delete().where(Session.account == row.id).execute())


def put_password(row: Account, hashed: str) -> None:
    """Give an account the hash of another password. Ends its logins, and the link for a password
    that was made for it."""
    Account.update(password_hash=hashed).where(Account.id == row.id).execute()
    PasswordLink.delete().where(PasswordLink.account == row.id).execute()
    end_sessions_of(row)
