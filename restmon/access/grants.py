"""Grants: the groups that limit which stores an account or a key sees."""

from dataclasses import dataclass

from restmon.storage.access_models import Account, AccountGroup, ApiKey, ApiKeyGroup
from restmon.storage.database import tuples
from restmon.storage.models import Group


@dataclass(frozen=True)
class Grants:
    """The grants of accounts, or of keys: ``model`` has one row for each (``owner``, group).

    The caller holds a connection.
    """

    model: type[AccountGroup] | type[ApiKeyGroup]
    owner: str

    def set(self, owner_id: int, groups: list[int] | None) -> None:
        """Make these (row ids; None: none) the only groups of an account or a key."""
        owner = getattr(self.model, self.owner)
        self.model.delete().where(owner == owner_id).execute()
        for group in groups or []:
            self.model.create(**{self.owner: owner_id, "group": group})

    def groups_of(self, row: Account | ApiKey) -> frozenset[int] | None:
        """The row ids of the groups of an account or a key; None where it sees every store."""
        if row.every_store:
            return None
        owner = getattr(self.model, self.owner)
        query = self.model.select(self.model.group).where(owner == row.id)
        return frozenset(group for (group,) in tuples(query))

    def names(self) -> dict[int, list[str]]:
        """The names of the groups of each account or key that has any, by its row id."""
        owner = getattr(self.model, self.owner)
        query = self.model.select(owner, Group.name).join(Group).order_by(Group.same_name)
        found: dict[int, list[str]] = {}
        for owner_id, name in tuples(query):
            found.setdefault(owner_id, []).append(name)
        return found


ACCOUNT_GRANTS = Grants(AccountGroup, "account")
KEY_GRANTS = Grants(ApiKeyGroup, "api_key")
