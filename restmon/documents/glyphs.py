"""Letters that no font can show, replaced before they would be drawn as empty boxes.

The fonts that come with restmon have Latin, Greek and Cyrillic letters, those of Typst many more,
and what they lack is taken from the fonts of the machine. Typst itself is asked which letters have
no glyph, so no table of letters can be wrong.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from restmon.documents.texts import BREAK, label

NOTE = "Letters that no font here has are shown by their names or U+ numbers."
JOINER = "\u200d"
NOTHING = "\U0010fffe"
"""Never a letter, so it is always drawn as the box."""
MOST_KNOWN = 50_000
LONGEST = 120
PROBE = b"""
#set page(width: 400pt, height: 40pt, margin: 4pt)
#set text(font: ("Source Sans Pro",))
#for (n, letter) in json(bytes(sys.inputs.data)).enumerate() [
  #if n > 0 [#pagebreak()]
  #letter
]
"""
USED = re.compile(rb'href="#(g[0-9A-F]+)"')

Compile = Callable[..., Any]
_has_glyph: dict[str, bool] = {}


def replace_missing(content: dict[str, Any], typeset: Compile) -> dict[str, Any]:
    """Return the content of a document with all its letters to be seen.

    What cannot be shown becomes its compatible form (a wide or a bold letter), its name where it is
    a symbol (``[slice of pizza]``), or its number (``[U+5317 4EAC]``). Then the footer says so.

    ``typeset`` compiles a Typst source with ``sys_inputs`` to a ``format``.
    """
    texts = [text for text in _texts(content) if not text.isascii()]
    _learn({one for text in texts for one in clusters(text)}, typeset)
    if all(_has_glyph[one] for text in texts for one in clusters(text) if not one.isascii()):
        return content
    _learn(
        {form for one, has in list(_has_glyph.items()) if not has for form in _forms(one)}, typeset
    )
    changed: dict[str, Any] = _map(content, _replace)
    footer = dict(changed["footer"])
    footer["assumed"] = f"{footer['assumed']} {NOTE}"
    return changed | {"footer": footer}


def clusters(text: str) -> list[str]:
    """Return the letters of a text, each with its marks and what is joined to it."""
    found: list[str] = []
    for letter in text:
        joins = found and (_is_mark(letter) or found[-1].endswith(JOINER))
        if joins and not found[-1].isspace():
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _is_mark(letter: str) -> bool:
    skin = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return letter == JOINER or skin or unicodedata.category(letter) in {"Mn", "Me", "Mc"}


def _texts(value: Any) -> Iterable[str]:
    """All texts of a content but pictures."""
    if isinstance(value, str):
        if not value.startswith("<svg"):
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _map(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return value if value.isascii() or value.startswith("<svg") else change(value)
    if isinstance(value, dict):
        return {name: _map(one, change) for name, one in value.items()}
    return [_map(one, change) for one in value] if isinstance(value, list) else value


def _learn(wanted: set[str], typeset: Compile) -> None:
    """Find out which letters have a glyph."""
    if len(_has_glyph) > MOST_KNOWN:
        _has_glyph.clear()
    new = sorted(one for one in wanted if one not in _has_glyph)
    asked = [one for one in new if not one.isascii()]
    _has_glyph.update(dict.fromkeys(new, True))
    if not asked:
        return
    # Two of the box, so that there are always several pages.
    data = json.dumps([NOTHING, NOTHING, *asked])
    pages = typeset(PROBE, sys_inputs={"data": data}, format="svg")
    box = USED.findall(pages[0])[0]
    for one, page in zip(asked, pages[2:], strict=True):
        _has_glyph[one] = box not in USED.findall(page)


def _forms(one: str) -> list[str]:
    """Other ways to write a letter, the best first."""
    whole = unicodedata.normalize("NFKC", one)
    plain = "".join(letter for letter in whole if not _is_mark(letter))
    return [form for form in dict.fromkeys([whole, plain]) if form and form != one]


def _replace(text: str) -> str:
    parts: list[str] = []
    numbers: list[str] = []

    def close() -> None:
        if numbers:
            parts.append(f"[U+{' '.join(numbers)}]")
            numbers.clear()

    for one in clusters(text.replace(BREAK, "")):
        known = next((form for form in [one, *_forms(one)] if _has_glyph.get(form)), None)
        if known is not None:
            close()
            parts.append(known)
        elif unicodedata.category(one[0]) == "So" and (name := unicodedata.name(one[0], "")):
            close()
            parts.append(f"[{name.lower()}]")
        else:
            numbers += [f"{ord(letter):04X}" for letter in one if letter != JOINER]
    close()
    replaced = "".join(parts)
    return text if replaced == text.replace(BREAK, "") else label(replaced, LONGEST)
