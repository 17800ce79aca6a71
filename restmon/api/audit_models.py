"""The parameters and answers of the route of the audit."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from restmon.api.models import Answer, Parameters, one_of
from restmon.api.outage_models import Format
from restmon.api.parameters import Limit
from restmon.api.store_models import Instant
from restmon.ops.audit_list import KINDS

Kind = Annotated[str, AfterValidator(one_of(KINDS)), WithJsonSchema({"enum": list(KINDS)})]


class GetAudit(Parameters):
    """What GET /audit takes."""

    person: str | None = None
    """Only what this actor did: an e-mail address, "key NAME", or "this machine"."""
    kind: Kind | None = None
    """Only entries of this kind."""
    limit: Limit = 100
    """The most entries. Default: 100. With format=csv there is no limit."""
    format: Format = "json"
    """csv: a file of all entries. Default: json."""


class AuditEntry(Answer):
    """What somebody did."""

    at: Instant
    actor: str
    kind: Annotated[str, WithJsonSchema({"enum": list(KINDS)})]
    action: str
    subject: str
    """The id or the name of what it is about."""
    what: str
    """What was done, in words."""
    page: str
    """The path at which the dashboard shows what it is about; empty if that is gone."""
    address: str
    """The network address that it was done from."""


class AuditList(Answer):
    """Who did what, newest first."""

    entries: list[AuditEntry]
