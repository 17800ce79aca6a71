"""Passwords: which ones are good enough, and the Argon2id hash that is stored. Tokens: the hash
that is stored."""

import hashlib

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from restmon.errors import BadRequest

SHORTEST, LONGEST = 12, 1024
STRONG = 3
"""zxcvbn's score from 0 to 4: 3 takes more than 10^8 guesses."""
LOOKED_AT = 72
"""zxcvbn rates this many letters. The time it takes grows faster than the length."""

_hasher = PasswordHasher()


def make_hash(password: str, email: str) -> str:
    """The hash of an account's new password. Raises BadRequest if it is too short, too long,
    common, or easy to guess from a pattern or the ``email``."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadRequest(
            f"A password has {SHORTEST} to {LONGEST:,} letters.",
            "Choose another, such as four words that nobody would guess together.",
        )
    why = _weakness(password, email)
    if why is not None:
        raise BadRequest(
            f"This password is easy to guess{f': {why}' if why else ''}.",
            "Choose another, such as four words that nobody would guess together.",
        )
    return _hasher.hash(password.encode("utf-8", "replace"))


def verify(hashed: str | None, password: str) -> bool:
    """Whether the password belongs to the hash. A hash of None takes as long, and no password
    belongs to it."""
    given = password[: LONGEST + 1].encode("utf-8", "replace")
    if not hashed:
        _hasher.hash(given)
        return False
    try:
        return _hasher.verify(hashed, given)
    except (VerificationError, InvalidHashError):
        return False


def renew_hash(hashed: str, password: str) -> str | None:
    """The hash of a password under today's parameters; None where it has them already."""
    if not _hasher.check_needs_rehash(hashed):
        return None
    return _hasher.hash(password.encode("utf-8", "replace"))


def hash_token(token: str) -> str:
    """The SHA-256 of a random token, in hexadecimal digits: what is stored of it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _weakness(password: str, email: str) -> str | None:
    """Why a password is easy to guess ("" where zxcvbn does not say); None where it is not."""
    if _letters(password) in _letters(email):
        return "it is a part of your e-mail"
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists take a while to load

    known = ["restmon", email, *email.lower().replace("@", ".").split(".")]
    found = zxcvbn(password[:LOOKED_AT], user_inputs=known)
    if found["score"] >= STRONG:
        return None
    warning = str(found["feedback"]["warning"] or "").rstrip(".")
    return warning[:1].lower() + warning[1:]


def _letters(text: str) -> str:
    """Letters and digits alone, in lower case."""
    return "".join(filter(str.isalnum, text.casefold()))
