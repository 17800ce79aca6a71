"""``python -m jobs``: one worker process in the foreground."""

from jobs import outages, worker
from jobs.queue import huey
from restmon import logs
from restmon.errors import exit_on_error
from restmon.settings import get_settings
from restmon.storage import database

if __name__ == "__main__":
    with exit_on_error(), database.explain_errors():
        logs.configure()
        outages.install()
        database.configure(get_settings())
        huey.connect()
        worker.run()
