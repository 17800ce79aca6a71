"""The targets file: the uptime target of stores, of groups, or of all, as CSV."""

from dataclasses import dataclass, field

from restmon.access import visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.group_names import group_name, same_name
from restmon.ingest.batches import Batch, Rejection, shown
from restmon.ingest.containers import Source
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.headers import TARGETS
from restmon.ingest.rejected import KEPT_REJECTIONS
from restmon.ingest.values.base import trimmed
from restmon.ingest.writer import Counts
from restmon.storage import database
from restmon.storage.models import Group, Store
from restmon.stores import targets


@dataclass
class TargetsImport:
    """The result of an import of targets: lines read = new + updated + unchanged + rejected, and
    the first 1,000 rejected lines. Of several lines for one target the last one counts, and the
    others are unchanged."""

    counts: Counts = field(default_factory=Counts)
    rejections: list[Rejection] = field(default_factory=list)


def import_targets_csv(source: Source, name: str, actor: Actor = THIS_MACHINE) -> TargetsImport:
    """Set targets from a CSV file, in one transaction.

    It has the column ``store_id`` or ``group`` or both, of which each line fills one (``*``: all
    stores), and ``target``, per cent. ``source`` is a path or an open file that can seek. A line is
    rejected alone, also one whose store or group is not there for the actor. Raises
    :class:`~restmon.errors.FileRejected` for a file that is rejected whole, Forbidden.
    """
    actor.must(Role.OWNER)
    batches = list(read_batches(source, name, TARGETS))
    result = TargetsImport()
    with database.writing():
        lines = _Lines(actor)
        for batch in batches:
            lines.add(batch)
        counts = result.counts
        counts.new, counts.updated = targets.set_many(lines.wanted, name, actor)
        counts.read = sum(len(batch.line) + len(batch.malformed) for batch in batches)
        counts.rejected = len(lines.rejections)
        counts.unchanged = counts.read - counts.new - counts.updated - counts.rejected
    result.rejections = sorted(lines.rejections, key=lambda r: r.line)[:KEPT_REJECTIONS]
    return result


class _Lines:
    """Collects the targets in lines. The caller holds a connection."""

    def __init__(self, actor: Actor) -> None:
        self.rejections: list[Rejection] = []
        self._actor = actor
        self._of_all: int | None = None
        self._stores: dict[int, int] = {}
        self._groups: dict[int, int] = {}
        self._known: dict[str, int] = dict(database.tuples(Store.select(Store.store_id, Store.id)))
        query = Group.select(Group.same_name, Group.id)
        self._named: dict[str, int] = dict(database.tuples(query))
        if actor.groups is not None:
            seen = visibility.find_store_ids(actor.groups)
            self._known = {text: row for text, row in self._known.items() if text in seen}
            self._named = {n: row for n, row in self._named.items() if row in actor.groups}

    @property
    def wanted(self) -> targets.Wanted:
        """The targets of the good lines, the last one of each."""
        return targets.Wanted(self._of_all, self._stores, self._groups)

    def add(self, batch: Batch) -> None:
        """Read a batch."""
        self.rejections += batch.malformed
        empty = [b""] * len(batch.line)
        cells = [
            batch.columns[name].to_pylist() if name in batch.columns else empty
            for name in ("store_id", "group", "target")
        ]
        for line, *values in zip(batch.line.tolist(), *cells, strict=True):
            found = self._read(*(trimmed(v).decode("utf-8", "replace") for v in values))
            if found:
                column, value, reason = found
                self.rejections.append(Rejection(line, column, shown(value), reason))

    def _read(self, store: str, group: str, target: str) -> tuple[str, str, str] | None:
        """Take a line, or return the column, the value and the reason of its rejection."""
        if bool(store) == bool(group):
            both = "has a store and a group" if store else "names no store and no group"
            return "store_id", store, f"the line {both}; fill one of them, or write * for all"
        if why := targets.why_not_a_target(target):
            return "target", target, why
        number = targets.parse_target(target)
        if targets.EVERYTHING in (store, group):
            if not self._actor.may(Role.OPERATOR):
                return "target", target, "the target of all stores takes an operator"
            self._of_all = number
        elif store:
            if store not in self._known:
                return "store_id", store, "no store of this id is known yet"
            self._stores[self._known[store]] = number
        else:
            row = self._named.get(same_name(group_name(group) or ""))
            if row is None:
                return "group", group, "there is no group of this name"
            self._groups[row] = number
        return None
