"""``python -m restmon check``."""

import json
import sys

import click

from restmon.core.findings import Example, Finding, count_of
from restmon.core.formatting import store_label
from restmon.reporting.data_check import check_data
from restmon.storage import database


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def check_command(as_json: bool) -> None:
    """Find what is likely wrong with the data.

    Such as ids that are written in two ways, stores without hours, time zone or polls, and stores
    whose polls have stopped. The exit status is 1 when something is found.
    """
    database.configure()
    found = check_data()
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        for finding in found.findings:
            _print_finding(finding)
        stores = count_of(found.stores, "store")
        findings = count_of(len(found.findings), "finding") if found.findings else "nothing found"
        click.echo(f"{stores} checked: {findings}")
    sys.exit(1 if found.findings else 0)


def _print_finding(finding: Finding) -> None:
    click.echo(f"{finding.code}: {finding.message}")
    click.echo(f"  {finding.action}")
    for example in finding.examples:
        click.echo(f"  - {_describe(example)}")
    more = finding.more
    if more:
        click.echo(f"  … and {more:,} more")
    click.echo()


def _describe(example: Example) -> str:
    name = store_label(example.store_id, example.name)
    likely = f" ↔ {example.likely}" if example.likely else ""
    return name + likely + (f": {example.detail}" if example.detail else "")
