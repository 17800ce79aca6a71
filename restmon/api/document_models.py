"""The parameters and answers of the routes of documents."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from restmon.api.models import Answer, Id, Parameters, Share, Status, YesNo, one_of
from restmon.api.parameters import AsOf, Method
from restmon.core.timeline import METHODS, NEAREST
from restmon.documents.documents import PDF, TYPES
from restmon.documents.pdf import PAPERS
from restmon.documents.periods import LAST_WEEK

FORMS: Any = tuple(TYPES)
Form = Annotated[str, AfterValidator(one_of(FORMS)), WithJsonSchema({"enum": list(FORMS)})]
Paper = Annotated[
    str | None, AfterValidator(one_of(tuple(PAPERS))), WithJsonSchema({"enum": list(PAPERS)})
]


# Parameters


class AskForDocument(Parameters):
    """What POST /documents takes."""

    format: Form = PDF
    """pdf: for people. xlsx: a workbook with the sheets Summary, Stores, Outages, Incidents and
    About. csv: the details of every store. Default: pdf."""
    window: str = LAST_WEEK
    """yesterday, last week (Monday to Sunday), this week, last month, this month, a length that
    ends at as_of (24h, 30d, 4w), a month (2026-01), or dates, both included (2026-01-05 to
    2026-01-11). Default: last week."""
    group: str | None = None
    """Only the stores of this group."""
    store_id: str | None = None
    """Only this store."""
    each_store: YesNo = False
    """true: the PDF also has half a page of every store. At most 500 stores."""
    paper: Paper = None
    """The paper of the PDF. Default: the setting RESTMON_PAPER."""
    zone: str | None = None
    """The time zone whose calendar says which week or month is the last one. Default: that of most
    of the stores."""
    as_of: AsOf = None
    """The UTC instant of the document. Later polls do not count. Default: the newest poll."""
    method: Method = NEAREST
    """How time between two polls is divided. Default: nearest."""


class GetDocument(Parameters):
    """What the routes of one document take."""

    source: ClassVar[str] = "POST /documents"

    document_id: Annotated[str, Field(min_length=1)]
    """The id that POST /documents answered with."""


# Answers


class DocumentAccepted(Answer):
    """A document that was requested."""

    document_id: Id
    status: Literal["Running"]
    status_url: str
    """The address of the document's state."""


class DocumentState(Answer):
    """The progress of a document."""

    document_id: Id
    status: Status
    progress: Share
    format: Annotated[str, WithJsonSchema({"enum": list(FORMS)})]
    window: str
    """The window as it was requested."""
    group: str | None
    """The group that it is limited to. Null: none."""
    store_id: str | None
    """The store that it is limited to. Null: none."""
    as_of: str | None
    """Null until a worker has determined it."""
    method: Annotated[str, WithJsonSchema({"enum": list(METHODS)})]
    requested_at: str
    requested_by: str
    demo: bool
    """Whether it is of demo stores."""
    stores: int = 0
    """How many stores it is about. Only when complete."""
    size: int = 0
    """The bytes of its file. Only when complete."""
    file_url: str = ""
    """Where the file can be downloaded. Only when complete."""
    error: str = ""
    """Why it failed. Only when failed."""


class DocumentList(Answer):
    """The newest documents, newest first."""

    documents: list[DocumentState]
