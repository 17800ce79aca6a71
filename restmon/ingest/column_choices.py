"""Users' choices of columns, stored for the next file with the same header."""

from collections.abc import Iterable, Sequence

from restmon.access.roles import Actor
from restmon.ingest.headers import Chosen, same_header
from restmon.ingest.staging import SourceFile
from restmon.ingest.tables import read_header
from restmon.storage import database
from restmon.storage.models import ColumnChoice, now


def _whose(actor: Actor) -> str:
    """Whose choice it is: everybody's from an operator, otherwise only that person's."""
    return "" if actor.groups is None else actor.name


def remembered(actor: Actor, names: Iterable[str]) -> Chosen:
    """The columns that the actor or an operator chose for a header with these names, or none."""
    key = same_header(names)
    with database.session():
        rows = list(ColumnChoice.select().where(ColumnChoice.same_header == key))
    own = {row.actor: row.columns for row in rows}
    return dict(own.get(_whose(actor)) or own.get("") or {})


def made(files: Sequence[SourceFile]) -> dict[str, Chosen]:
    """The choices in files to import, by `same_header`."""
    found = {}
    for file in files:
        columns = file.choices.columns
        if columns:
            header = read_header(file.source, file.name, [file.kind], columns)
            found[same_header(header.names)] = columns
    return found


def remember(actor: Actor, choices: dict[str, Chosen]) -> None:
    """Store choices. The caller holds a transaction."""
    for key, columns in choices.items():
        kept = {"columns": dict(columns), "chosen_at": now()}
        ColumnChoice.insert(same_header=key, actor=_whose(actor), **kept).on_conflict(
            conflict_target=[ColumnChoice.same_header, ColumnChoice.actor], update=kept
        ).execute()
