"""What somebody changes: a store by its id, or a group by its name."""

from dataclasses import dataclass

from restmon.access import visibility
from restmon.access.roles import Actor
from restmon.core.group_names import same_name
from restmon.errors import NotFound
from restmon.storage.models import Group, Store


@dataclass(frozen=True)
class Subject:
    """A ``store`` (its id) or a ``group`` (its name); the other is None."""

    store: str | None = None
    group: str | None = None


def find_row(subject: Subject, actor: Actor) -> int:
    """The row id of the store or group. Raises NotFound if there is none that the actor sees. The
    caller holds a connection."""
    if subject.store is not None:
        visibility.must_see(actor, subject.store)
        store = None
        if "\0" not in subject.store:  # PostgreSQL accepts it in no text
            store = Store.get_or_none(Store.store_id == subject.store)
        if store is None:
            raise NotFound(
                f"There is no store {subject.store[:64]!r}.",
                "A store is known once a file has named it.",
            )
        return int(store.id)
    name = subject.group or ""
    own = None if actor.groups is None else visibility.find_group_names(actor.groups)
    if own is not None and same_name(name) not in own:
        raise NotFound(f"There is no group {name[:64]!r}.", "Choose one of your own groups.")
    return int(Group.named(name).id)
