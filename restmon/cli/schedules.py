"""``python -m restmon schedules``."""

from typing import Any

import click

from restmon.access.roles import THIS_MACHINE
from restmon.core.instants import as_text
from restmon.documents.documents import PDF, TYPES
from restmon.documents.pdf import PAPERS
from restmon.documents.periods import FORMS
from restmon.notify import schedules
from restmon.notify.schedule_times import EVERY, WEEKLY
from restmon.notify.schedules import WantedSchedule
from restmon.storage import database
from restmon.storage.document_models import Schedule
from restmon.storage.models import COMPLETE, now

ID = click.argument("schedule_id", type=int)


@click.group("schedules")
def schedules_command() -> None:
    """Manage documents that are made daily, weekly or monthly."""


@schedules_command.command("list")
def list_command() -> None:
    """List the schedules, with the next time and the last run of each."""
    database.configure()
    found = schedules.list_schedules()
    for one in found:
        row = one.row
        to = ", ".join(one.channels) or "kept only"
        after = "paused" if row.paused else f"next {as_text(one.plan.next_due(now()))}"
        last = (
            "" if one.last is None else f"; last {as_text(one.last.row.due_at)}: {one.last.state}"
        )
        click.echo(
            f"{row.id}  {row.name}: {one.group or 'all stores'}, {row.form} of {row.period}, "
            f"{one.when}, {to}; {after}{last}"
        )
    if not found:
        click.echo("There are no schedules.")


@schedules_command.command("add")
@click.argument("name")
@click.option(
    "--every", type=click.Choice(EVERY), default=WEEKLY, show_default=True, help="How often."
)
@click.option("--day", help="Weekly: Monday to Sunday. Monthly: 1 to 31.")
@click.option("--time", default="08:00", show_default=True, help="Time of day in the zone.")
@click.option("--zone", help="The time zone (default: that of most of the stores).")
@click.option("--group", help="Only the stores of this group.")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(TYPES)),
    default=PDF,
    show_default=True,
    help="The form of the document.",
)
@click.option("--window", "period", help=f"{FORMS} (default: yesterday, last week or last month).")
@click.option("--paper", type=click.Choice(list(PAPERS)), help="The paper of a PDF.")
@click.option("--each-store", is_flag=True, help="In a PDF: half a page of every store.")
@click.option(
    "--channel", "channels", type=int, multiple=True, help="The id of a channel that gets it."
)
def add_command(name: str, **given: Any) -> None:
    """Add a schedule with NAME."""
    database.configure()
    _show(schedules.add(WantedSchedule(name=name, **given)))


@schedules_command.command("change")
@ID
@click.option("--name", help="Another name.")
@click.option("--every", type=click.Choice(EVERY), help="How often.")
@click.option("--day", help="Weekly: Monday to Sunday. Monthly: 1 to 31.")
@click.option("--time", help="Time of day in the zone.")
@click.option("--zone", help="The time zone.")
@click.option("--group", help="Only the stores of this group.")
@click.option("--all-stores", is_flag=True, help="All stores, not a group.")
@click.option("--format", "form", type=click.Choice(list(TYPES)), help="The form of the document.")
@click.option("--window", "period", help=f"{FORMS}.")
@click.option("--paper", type=click.Choice(list(PAPERS)), help="The paper of a PDF.")
@click.option(
    "--each-store/--no-each-store", default=None, help="In a PDF: half a page of every store."
)
@click.option(
    "--channel", "channels", type=int, multiple=True, help="The id of a channel that gets it."
)
@click.option("--kept-only", is_flag=True, help="It is sent to nobody.")
def change_command(
    schedule_id: int, *, all_stores: bool, kept_only: bool, channels: tuple[int, ...], **given: Any
) -> None:
    """Change the schedule with this id. What is not given stays as it is."""
    if (all_stores and given["group"]) or (kept_only and channels):
        raise click.UsageError("Give a group or --all-stores, a channel or --kept-only.")
    database.configure()
    changes = {name: value for name, value in given.items() if value is not None}
    if all_stores:
        changes["group"] = None
    if channels or kept_only:
        changes["channels"] = channels
    if not changes:
        raise click.UsageError("Give what is to be changed, such as --time 07:30.")
    _show(schedules.change(schedule_id, changes))


def _show(row: Schedule) -> None:
    plan = schedules.plan_of(row)
    after = "paused" if row.paused else f"next {as_text(plan.next_due(now()))}"
    click.echo(f"Schedule {row.id}: {schedules.describe_plan(plan)}, {after}")


@schedules_command.command("pause")
@ID
def pause_command(schedule_id: int) -> None:
    """Pause the schedule with this id."""
    database.configure()
    schedules.set_paused(schedule_id, True)
    click.echo(f"Schedule {schedule_id} is paused.")


@schedules_command.command("resume")
@ID
def resume_command(schedule_id: int) -> None:
    """Let a paused schedule go on."""
    database.configure()
    schedules.set_paused(schedule_id, False)
    click.echo(f"Schedule {schedule_id} goes on.")


@schedules_command.command("run")
@ID
def run_command(schedule_id: int) -> None:
    """Run a schedule now: make the document, and send it."""
    from restmon.documents import documents  # noqa: PLC0415 - the others do not need them
    from restmon.notify import delivery, outbox, schedule_runs  # noqa: PLC0415

    database.configure()
    document_id = schedule_runs.run_now(schedule_id)
    if not documents.work(document_id):
        click.echo(f"A worker has begun with document {document_id}, and sends it.")
        return
    made = documents.get(document_id)
    sent = schedule_runs.deliver(document_id)
    if made.status != COMPLETE:
        raise click.ClickException(f"The document could not be made: {made.error}")
    click.echo(f"Document {document_id} is made.")
    for message_id in sent:
        delivery.deliver(message_id)
        message = outbox.get(message_id, THIS_MACHINE)
        error = f": {message.error}" if message.error else ""
        click.echo(f"To {message.channel_name}: {outbox.name_state(message)}{error}")


@schedules_command.command("delete")
@ID
def delete_command(schedule_id: int) -> None:
    """Delete a schedule. Its documents stay."""
    database.configure()
    schedules.delete(schedule_id)
    click.echo(f"Schedule {schedule_id} is deleted.")


@schedules_command.command("history")
@ID
def history_command(schedule_id: int) -> None:
    """List the last runs of a schedule, newest first."""
    database.configure()
    runs = schedules.list_runs(schedule_id)
    for one in runs:
        note = f": {one.row.note}" if one.row.note else ""
        click.echo(f"{as_text(one.row.due_at)}  {one.state}  {one.row.document_id or '-'}{note}")
    if not runs:
        click.echo("It has not run yet.")
