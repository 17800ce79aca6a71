"""No letter of a name is drawn as an empty box."""

import io
import json
import unicodedata
from typing import Any

import pytest
import typst
from hypothesis import example, given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ContentStream

from restmon.documents import documents, glyphs, pdf
from restmon.documents.documents import Wanted
from restmon.documents.texts import BREAK
from restmon.ingest.store_editing import save_entry
from tests.documents.test_documents import HOSTILE, make, polls_of, text_of
from tests.support.workspace import Workspace

SOURCE = b'#set text(font: ("Source Sans Pro",))\n#json(bytes(sys.inputs.data))'
LETTERS = st.sampled_from(
    "北京鸭の한กमع🍕👩🍳☕★Ω𝐁Ａé﷽ a\u0301\u20e3\u200d\ufe0f\u202e\U0001f3fd\U0001f1fa"
)


def count_boxes(content: bytes) -> int:
    """How many letters of a PDF are the glyph 0, which is the box of what a font lacks."""
    reader = PdfReader(io.BytesIO(content))
    found = 0
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator not in (b"Tj", b"TJ"):
                continue
            for part in operands[0] if operator == b"TJ" else operands:
                raw = getattr(part, "original_bytes", part)
                if isinstance(raw, bytes):
                    found += [raw[n : n + 2] for n in range(0, len(raw), 2)].count(b"\0\0")
    return found


def shown(text: str) -> str:
    """A text as a document shows it."""
    content = glyphs.replace_missing({"text": text, "footer": {"assumed": "."}}, pdf.typesetter())
    return str(content["text"]).replace(BREAK, "")


def typeset(text: str) -> bytes:
    return bytes(pdf.typesetter()(SOURCE, sys_inputs={"data": json.dumps(text)}))


def test_a_box_is_found_where_there_is_one():
    assert count_boxes(typeset("a \U0010fffe b \U0010fffe")) == 2
    assert count_boxes(typeset("plain – “text”")) == 0


@given(st.text(LETTERS, max_size=30) | st.text(max_size=30) | st.sampled_from(HOSTILE))
@example("👩🏽\u200d🍳🇺🇸")
@example("\u0301 \u20e3\u200d")
def test_no_name_has_a_box(name: str):
    name = name.encode("utf-8", "replace").decode()
    if any(unicodedata.category(letter) == "Cc" for letter in name):
        name = "".join(one if one.isprintable() else " " for one in name)  # as `label` does
    assert count_boxes(typeset(shown(name))) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Müller's Grill – Ωmega", "Müller's Grill – Ωmega"),
        ("\U0010fffe\U0010fffe x", "[U+10FFFE 10FFFE] x"),
        ("a\U000f0000b", "a[U+F0000]b"),
    ],
)
def test_what_is_missing_is_told_by_its_number(name: str, expected: str):
    assert shown(name) == expected


@pytest.fixture
def without_fonts(monkeypatch: pytest.MonkeyPatch):
    """A machine without fonts of its own."""
    found = typst.Fonts(include_system_fonts=False, font_paths=[str(pdf.FONTS)])
    monkeypatch.setattr(pdf, "_fonts", lambda: found)
    monkeypatch.setattr(glyphs, "_has_glyph", {})


def test_on_a_machine_without_fonts_names_are_told_in_words(without_fonts: None):
    assert shown("北京 🍕") == "[U+5317 4EAC] [slice of pizza]"
    assert shown("ＡＢＣ") == "ABC"


def test_the_document_says_so(without_fonts: None, workspace: Workspace):
    workspace.import_now(polls_of("s1", "u" * 60))
    before: Any = text_of(documents.read_file(make(Wanted(period="7d", each_store=True))))
    assert glyphs.NOTE not in " ".join(before.split())
    save_entry("s1", {"name": "北京烤鸭店 🍕"})
    content = documents.read_file(make(Wanted(period="7d", each_store=True)))
    assert count_boxes(content) == 0
    text = " ".join(text_of(content).split())
    assert "[U+5317 4EAC 70E4 9E2D 5E97] [slice of pizza]" in text
    assert glyphs.NOTE in text
