"""The rules for the name of a group of stores."""

import re
import unicodedata

LONGEST = 64
FORMULA_BEGINS = ("=", "+", "-", "@")
# Control characters, line ends, lone surrogates, and invisible marks, which make two names look the
# same. The joiners of emoji and of some scripts are allowed.
FORBIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


def group_name(text: str) -> str | None:
    """The name as it is stored: without blanks around it, in Unicode's composed form. None if it is
    not valid."""
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST or name.startswith(FORMULA_BEGINS):
        return None
    if any(unicodedata.category(c) in FORBIDDEN and c not in JOINERS for c in name):
        return None
    return name


def same_name(name: str) -> str:
    """The form in which names are compared. It ignores case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def join_groups(names: list[str]) -> str:
    """A list of groups as one text. Imports read it (`restmon/ingest/values/texts.py`)."""
    return ";".join(re.sub(r"([;\\])", r"\\\1", name) for name in names)


def why_not_a_group_name(text: str) -> str:
    """The reason a name is rejected."""
    if not text.strip():
        return "the name of the group is empty"
    if len(unicodedata.normalize("NFC", text.strip())) > LONGEST:
        return f"the name of a group has at most {LONGEST} characters"
    if text.strip().startswith(FORMULA_BEGINS):
        return "the name of a group does not begin with = + - or @, as a spreadsheet's formula does"
    return "the name of a group has no control characters, line ends or invisible marks"
