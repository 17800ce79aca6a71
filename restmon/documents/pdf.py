"""A finding as a PDF.

Typst sets it from one template. The data go in as JSON, never as markup, so no name is run. The
fonts come with restmon. A letter that they lack is taken from a font of the machine, or replaced
(`glyphs`).
"""

import json
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from restmon.core.formatting import Style
from restmon.documents.finding import Finding
from restmon.documents.glyphs import replace_missing
from restmon.documents.paper import describe
from restmon.errors import BadRequest, RestmonError

TYPE = "application/pdf"
LETTER, A4 = "letter", "a4"
PAPERS = {LETTER: "us-letter", A4: "a4"}
TEMPLATE = Path(__file__).parent / "templates" / "document.typ"
FONTS = Path(__file__).parent / "fonts"


def check_paper(paper: str) -> str:
    """Return the paper. Raises BadRequest for one that is not known."""
    if paper not in PAPERS:
        raise BadRequest(f"The paper {paper[:20]!r} is not known.", f"Use {' or '.join(PAPERS)}.")
    return paper


def make_pdf(found: Finding, style: Style, paper: str = LETTER) -> bytes:
    """Return the PDF of a finding. Raises RestmonError if it cannot be set."""
    return render({"paper": PAPERS[check_paper(paper)], **describe(found, style)})


def render(content: dict[str, Any]) -> bytes:
    """Return the PDF of what `describe` has returned."""
    import typst  # noqa: PLC0415 - only a document needs it

    # Half a surrogate pair is no text; such a name cannot be shown.
    data = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode()
    typeset = typesetter()
    try:
        shown = json.dumps(replace_missing(json.loads(data), typeset), ensure_ascii=False)
        return bytes(typeset(TEMPLATE.read_bytes(), sys_inputs={"data": shown}))
    except typst.TypstError as error:
        raise RestmonError(f"The document could not be set: {error}.") from error


def typesetter() -> Callable[..., Any]:
    """Return what compiles Typst with the fonts of documents."""
    import typst  # noqa: PLC0415

    return partial(typst.compile, font_paths=_fonts())


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """The fonts, found once a process."""
    import typst  # noqa: PLC0415

    return typst.Fonts(include_system_fonts=True, font_paths=[str(FONTS)])
