"""The routes that delete by hand."""

import bottle

from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.deletion_models import DeletePolls, DeleteStore, Deletion
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.ops import deletion
from restmon.ops.deletion import PollRange

routes = Application()


@routes.delete(
    "/polls",
    needs=Role.OPERATOR,
    operation=Operation(
        "delete_polls", main="DELETE", takes=DeletePolls, gives={200: [Deletion]}, errors=(404,)
    ),
)
def delete_polls(asked: DeletePolls) -> bottle.HTTPResponse:
    """Delete polls of a range of time, of a store, or both.

    Deleted polls do not come back. Send dry_run=true first, which counts them.
    """
    chosen = asked.polls()
    count = (
        deletion.count_polls(chosen) if asked.dry_run else deletion.delete_polls(chosen, actor())
    )
    return answer(Deletion(polls=count, store_id=asked.store_id, deleted=not asked.dry_run))


@routes.delete(
    "/stores/<store_id>",
    needs=Role.OPERATOR,
    operation=Operation(
        "delete_store", main="DELETE", takes=DeleteStore, gives={200: [Deletion]}, errors=(404,)
    ),
)
def delete_store(asked: DeleteStore) -> bottle.HTTPResponse:
    """Delete a store with its polls, hours and everything else that belongs to it.

    Deleted data do not come back. Send dry_run=true first, which counts the polls.
    """
    store_id = asked.store_id
    if asked.dry_run:
        count = deletion.count_polls(PollRange(store_id=store_id))
    else:
        count = deletion.delete_store(store_id, actor())
    return answer(Deletion(polls=count, store_id=store_id, deleted=not asked.dry_run))
