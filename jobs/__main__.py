"""``python -m jobs``: one worker process in the foreground."""

import logging
import sys

from jobs import worker
from jobs.queue import huey
from restmon import database
from restmon.errors import RestmonError
from restmon.settings import get_settings

if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("huey").setLevel(logging.WARNING)
    try:
        database.configure(get_settings())
        huey.connect()
        worker.run()
    except RestmonError as error:
        sys.stderr.write(f"restmon: {error}\n")
        sys.exit(2)
