"""``python -m restmon run``, and ``worker``, ``api``, ``dashboard`` alone."""

import sys

import click

from restmon.ops import processes


@click.command()
def worker() -> None:
    """Run a worker in the foreground."""
    processes.worker()


@click.command()
def api() -> None:
    """Run the REST API in the foreground."""
    processes.api()


@click.command()
@click.option("--reload", is_flag=True, help="Reload pages when their files change.")
def dashboard(reload: bool) -> None:
    """Run the dashboard in the foreground."""
    processes.dashboard(*["--reload"] * reload)


@click.command()
def run() -> None:
    """Run dashboard, API and worker until Ctrl-C.

    Loads the demo stores if the database is empty.
    """
    sys.exit(processes.run_all())
