"""The route of the audit."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer, answer_csv
from restmon.api.application import Application
from restmon.api.audit_models import AuditList, GetAudit
from restmon.api.operations import Operation
from restmon.api.store_answers import iso
from restmon.ops import audit_list
from restmon.ops.audit_list import AuditQuery

routes = Application()


@routes.get(
    "/audit",
    needs=Role.OPERATOR,
    operation=Operation("get_audit", takes=GetAudit, gives={200: [AuditList, "text/csv"]}),
)
def get_audit(asked: GetAudit) -> bottle.HTTPResponse:
    """Get who did what, in words, newest first."""
    if asked.format == "csv":
        return answer_csv("audit", audit_list.make_csv(AuditQuery(asked.person, asked.kind)))
    lines = audit_list.list_lines(AuditQuery(asked.person, asked.kind, asked.limit))
    return answer(
        {
            "entries": [
                {
                    "at": iso(line.entry.at),
                    "actor": line.entry.actor,
                    "kind": line.kind,
                    "action": line.entry.action,
                    "subject": line.entry.subject,
                    "what": line.what,
                    "page": line.url,
                    "address": line.entry.address,
                }
                for line in lines
            ]
        }
    )
