"""``python -m jobs``: one worker process in the foreground."""

from jobs import worker
from jobs.queue import huey
from restmon import database, logs
from restmon.errors import told_at_the_end
from restmon.settings import get_settings

if __name__ == "__main__":
    with told_at_the_end():
        logs.configure()
        database.configure(get_settings())
        huey.connect()
        worker.run()
