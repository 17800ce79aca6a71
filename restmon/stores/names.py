"""The names of stores in the directory."""

from restmon.storage import database
from restmon.storage.models import Store, StoreDirectory


def names_by_id() -> dict[str, str]:
    """Return the name of each store that has one, by its id. Makes one query."""
    query = StoreDirectory.select(Store.store_id, StoreDirectory.name).join(Store)
    with database.session():
        return dict(database.tuples(query.where(StoreDirectory.name.is_null(False))))
