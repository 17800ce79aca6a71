"""Text of other people (names of stores and groups, reasons) inside messages. Pure."""

import re

LONGEST_NAME = 120
UNSAFE = str.maketrans(
    {
        "<": "‹",
        ">": "›",
        "[": "(",
        "]": ")",
        "*": "∗",
        "`": "'",
        "~": "∼",
        "|": "¦",
        "@": "＠",
        "&": "＆",
        "#": "＃",
    }
)
"""What chats take for markup, links or calls of people, and a look-alike of each."""
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that turn the direction of text around, or hide."""


def clean_name(text: str) -> str:
    """Return a name on one line, without control characters and cut."""
    shown = "".join(letter if letter.isprintable() else " " for letter in INVISIBLE.sub("", text))
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def for_chat(body: str, own_links: str) -> str:
    """Return a body for a chat that reads Markdown or HTML, so that names are shown as they are
    and call nobody. Lines that are one of restmon's own links (they begin with ``own_links``) stay.
    """
    return "\n".join(
        line
        if line.startswith(f"{own_links}/") and " " not in line
        else re.sub(r":/+", ": ", line.translate(UNSAFE))
        for line in body.split("\n")
    )
