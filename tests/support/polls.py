"""Polls of a workspace's database."""

from restmon.storage import database, models


def delete_everything() -> None:
    """Delete all polls, hours and stores. The caller holds the write transaction."""
    database.delete_polls(-(2**62), 2**62)
    for model in (models.PackedHours, models.Store):
        model.delete().execute()
