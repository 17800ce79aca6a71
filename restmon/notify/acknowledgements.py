"""Acknowledging an alert, so that no more reminders come: by the link in its message, which needs
no login, or on the page.

A program that looks at links before a person does must not acknowledge: the link shows a page, and
its button does it.
"""

from collections import Counter
from dataclasses import dataclass

from restmon.access import audit
from restmon.access.passwords import hash_token
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.formatting import store_label
from restmon.errors import NotFound
from restmon.notify.channels import EVENTS
from restmon.notify.conditions import TARGET
from restmon.notify.decide import PART
from restmon.notify.texts import clean_name
from restmon.notify.visibility import may_use
from restmon.storage import database
from restmon.storage.models import Store, StoreDirectory
from restmon.storage.notify_models import AlertState, Rule

PATH = "/acknowledge"
"""Where the dashboard shows the page that a link leads to."""
BY_LINK = "a link"
NOT_LISTED = {*EVENTS, TARGET}
"""Conditions of which nothing goes on that could be acknowledged: events of webhooks, and what is
told once a month."""


@dataclass(frozen=True)
class FoundAlert:
    """The alert of a link: what it is of, and when it was acknowledged (None: not yet)."""

    title: str
    acknowledged_at: int | None


@dataclass(frozen=True)
class OpenAlert:
    """An alert that goes on. ``id`` names it in an address; ``title`` is of what it is; it is on
    ``since`` an instant, and was told as of ``told_at``. ``store_id`` is None where it is not of
    one store."""

    id: str
    rule_id: int
    condition: str
    title: str
    store_id: str | None
    since: int
    told_at: int
    is_flapping: bool
    acknowledged_at: int | None
    acknowledged_by: str | None


def find_alert(token: str) -> FoundAlert:
    """The alert that a link is of. Raises NotFound where it is over or never existed."""
    with database.session():
        row = _find(token)
        return FoundAlert(_title(row), row.acknowledged_at)


def acknowledge(token: str, address: str = "") -> FoundAlert:
    """Acknowledge the alert of a link, which may be done again. Raises NotFound."""
    with database.writing():
        row = _find(token)
        return _acknowledge(row, BY_LINK, "by a link", address)


def acknowledge_alert(alert_id: str, actor: Actor = THIS_MACHINE) -> FoundAlert:
    """Acknowledge an alert of a rule that the actor may use, which may be done again. Raises
    NotFound where it is over, or of another rule; Forbidden."""
    actor.must(Role.OWNER)
    with database.writing():
        for row, _ in _list_rows(actor):
            if _name(row) == alert_id:
                return _acknowledge(row, actor.name, actor)
        raise NotFound("This alert is over, or there is none with this id.", "List them again.")


def list_open(actor: Actor = THIS_MACHINE) -> list[OpenAlert]:
    """The alerts that go on, of rules that the actor may use, those that nobody acknowledged and
    the newest first. The stores of a message about many are one."""
    with database.session():
        rows = _list_rows(actor)
        parts = Counter(row.rule_id for row, _ in rows if row.values.get("bundle") == PART)
        ids = {row.store for row, _ in rows if row.values.get("bundle") != PART}
        stores = dict(
            database.tuples(Store.select(Store.id, Store.store_id).where(Store.id.in_(ids)))
        )
        named = StoreDirectory.select(StoreDirectory.store, StoreDirectory.name)
        names = dict(database.tuples(named.where(StoreDirectory.store.in_(ids))))
    found = []
    for row, rule in rows:
        if row.values.get("bundle") == PART:
            continue
        store_id = stores.get(row.store)
        if row.store:
            name = names.get(row.store)
            label = store_label(store_id or "?", clean_name(name) if name else None)
        else:
            many = parts[row.rule_id]
            label = f"{many:,} store{'s' if many != 1 else ''}" if row.part else "The rule's stores"
        told = int(row.values.get("alert") or 0)
        found.append(
            OpenAlert(
                _name(row),
                row.rule_id,
                rule.condition,
                label,
                store_id,
                int(row.values.get("since") or told),
                told,
                bool(row.values.get("is_flapping")),
                row.acknowledged_at,
                row.acknowledged_by,
            )
        )
    return sorted(found, key=lambda one: (one.acknowledged_at is not None, -one.told_at, one.title))


def _list_rows(actor: Actor) -> list[tuple[AlertState, Rule]]:
    """The open alerts of rules that the actor may use. The caller holds a connection."""
    listed = Rule.select().where(~Rule.paused & Rule.condition.not_in(NOT_LISTED))
    rules = {rule.id: rule for rule in listed if may_use(actor, rule.groups)}
    query = AlertState.select().where(AlertState.rule.in_(list(rules)) & AlertState.is_open)
    return [(row, rules[row.rule_id]) for row in query.order_by(AlertState.id)]


def _name(row: AlertState) -> str:
    """A name for an alert in addresses: its rule, its store (0: none), and when it was told."""
    return f"{row.rule_id}-{row.store}-{row.values.get('alert', 0)}"


def _acknowledge(row: AlertState, by: str, actor: Actor | str, address: str = "") -> FoundAlert:
    title = _title(row)
    if row.acknowledged_at is None:
        row.acknowledged_at = database.clock()
        AlertState.update(acknowledged_at=row.acknowledged_at, acknowledged_by=by).where(
            AlertState.id == row.id
        ).execute()
        audit.note(actor, audit.ACKNOWLEDGED, title, address)
    return FoundAlert(title, row.acknowledged_at)


def _find(token: str) -> AlertState:
    row = AlertState.get_or_none((AlertState.token_hash == hash_token(token)) & AlertState.is_open)
    if row is None:
        raise NotFound("This alert is over, or the link is not whole.", "There is nothing to do.")
    return row


def _title(row: AlertState) -> str:
    """What an alert is of, in words. Whoever has the link got the message with the same names."""
    if not row.store:
        condition = Rule.get_by_id(row.rule_id).condition
        return "Several stores" if row.part else str(condition).capitalize()
    store = Store.get_or_none(Store.id == row.store)
    if store is None:
        return "A store"
    named = StoreDirectory.get_or_none(StoreDirectory.store == row.store)
    return str(named.name if named is not None and named.name else store.store_id)
