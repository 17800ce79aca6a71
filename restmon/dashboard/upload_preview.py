"""The preview of an uploaded file: its tables, and the choices that only a person can make."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from restmon.access import visibility
from restmon.access.roles import Actor, Role
from restmon.core.formatting import size
from restmon.dashboard import jobs_table, messages
from restmon.errors import RestmonError
from restmon.ingest import column_choices, imports
from restmon.ingest.allowed import Allowed
from restmon.ingest.choices import DATE_ORDER, DAY_NUMBERS, LABELS, OPTIONS, Choices
from restmon.ingest.headers import (
    BUSINESS_HOURS,
    COLUMNS,
    DIRECTORY,
    OTHER_HOURS,
    POLLS,
    SALES,
    TIMEZONES,
    columns_of,
)
from restmon.ingest.preview import Preview, previews
from restmon.storage import database

KINDS = {
    POLLS: "Polls",
    BUSINESS_HOURS: "Business hours",
    TIMEZONES: "Time zones",
    OTHER_HOURS: "Other hours on dates",
    SALES: "Hourly sales",
    DIRECTORY: "Store directory",
}
ASKED = {DAY_NUMBERS: "How are the days numbered?", DATE_ORDER: "How are the dates written?"}
NOT_CHOSEN = "Not chosen"
KEPT = 20
MOST_OFFERED = 1000
"""At most this many stores can be chosen, the first ones."""


FORMATS = {
    "**Polls**: was the store online? Times are UTC.": (
        "store_id,status,timestamp_utc",
        "8419537941919820732,active,2023-01-22 12:09:39.388884 UTC",
    ),
    "**Business hours**: local time, 0 is Monday.": (
        "store_id,day,start_time_local,end_time_local",
        "1481966498820158979,4,00:00:00,00:10:00",
    ),
    "**Time zones**: IANA names.": (
        "store_id,timezone_str",
        "8139926242460185114,Asia/Beirut",
    ),
    "**Store directory**: any of these columns.": (
        "store_id,name,address,groups,sales_per_hour,opened_on,closed_on",
        "1001,Main Street,1 Main Street,Brand A;East,240,2019-05-01,",
    ),
    "**Other hours on dates**: of a store or a group; no times, closed.": (
        "store_id,group,date,start_time_local,end_time_local,note",
        ",Brand A,2026-11-26,,,Thanksgiving",
    ),
    "**Hourly sales**: of an hour of the week.": (
        "store_id,dayOfWeek,hour,sales",
        "1001,4,12,310.50",
    ),
}


def show_file_formats() -> None:
    """The kinds of files, in words and by example."""
    with st.expander("What the files look like", icon=":material/help:"):
        st.markdown(
            "CSV (separated by commas, semicolons, tabs or bars; also gzipped), an .xlsx workbook, "
            "or a ZIP of them. A header line names the columns, in any order; restmon knows "
            "the kind of a file by them, and asks where they have other names."
        )
        # Lines of inline code, since a block of code fetches a highlighter of 1.5 MB.
        with st.grid(3, min_column_width=220):
            for what, lines in FORMATS.items():
                st.markdown("  \n".join([what, *(f"`{line}`" for line in lines)]))
        st.markdown(
            "A store without business hours counts as open 24×7, one without a time zone as in "
            "America/Chicago. Importing a file twice changes nothing the second time."
        )


def _offered(kind: str) -> list[str]:
    """The columns of a kind that a person can choose. Business hours have those of the long
    form."""
    return list(COLUMNS[kind] if kind == BUSINESS_HOURS else columns_of(kind))


def choices_of(file_id: str) -> Choices:
    """The person's choices for a file so far."""
    state = st.session_state
    columns = {}
    for number in range(state.get(f"tables_{file_id}", 0)):
        kind = state.get(f"kind_{file_id}_{number}")
        for ours in _offered(kind) if kind in KINDS else ():
            theirs = state.get(f"column_{file_id}_{number}_{kind}_{ours}")
            if theirs and theirs != NOT_CHOSEN:
                columns[f"{kind}.{ours}"] = theirs
    given = {choice: state.get(f"{choice}_{file_id}") for choice in OPTIONS}
    return Choices.of({**given, "columns": columns})


def show_preview(
    file: Any, number: int, actor: Actor, permitted: frozenset[str] | None
) -> tuple[Choices, bool]:
    """Check a whole uploaded file and show what it holds, before anything is written.

    Returns the person's choices, and whether the file can be imported.
    """
    file_id = str(getattr(file, "file_id", "") or f"{number}_{file.name}")
    choices = choices_of(file_id)
    with st.container(border=True, key=f"file_{number}"):
        try:
            found = _previews(file, file_id, choices, actor, permitted)
        except RestmonError as error:
            st.markdown(f"**{messages.escape_markdown(file.name)}** · {size(file.size)}")
            messages.show_error(error)
            return choices, False
        finally:
            file.seek(0)
        st.session_state[f"tables_{file_id}"] = len(found)
        good = [table for table in found if table.kind in KINDS and not table.problem]
        for place, table in enumerate(found):
            _table(table, f"{number}_{place}", file_id, place, alone=len(found) == 1 or not good)
        waits = any(table.choice for table in found)
    return choices, bool(good) and not waits


def _previews(
    file: Any,
    file_id: str,
    choices: Choices,
    actor: Actor,
    permitted: frozenset[str] | None,
) -> list[Preview]:
    """The tables of a file. Checks it once for each choice, with a bar while that takes long."""
    kept: dict[Any, list[Preview]] = st.session_state.setdefault("previews", {})
    key = (file_id, json.dumps(choices.as_json(), sort_keys=True), permitted)
    if key not in kept:
        place = st.empty()
        own_groups = None if actor.may(Role.OPERATOR) else visibility.find_group_names(actor.groups)
        found = previews(
            file,
            file.name,
            choices,
            Allowed(
                permitted=permitted,
                groups=own_groups,
                latest=database.latest_instant(),
                limits=imports.limits(),
            ),
            remembered=partial(column_choices.remembered, actor),
            progress=_bar(place, file.name),
        )
        place.empty()
        kept[key] = found
        for old in list(kept)[:-KEPT]:
            del kept[old]
    return kept[key]


def _bar(place: Any, name: str) -> Callable[[int, int], None]:
    shown = -1

    def tell(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 * done // total if total else 100
        if percent >= shown + 5:
            shown = percent
            place.progress(
                min(percent, 100), f"Checking {messages.escape_markdown(name)}: {percent}%"
            )

    return tell


def _table(table: Preview, key: str, file_id: str, place: int, *, alone: bool) -> None:
    shown = messages.escape_markdown(table.name)
    if table.problem and not table.choice:
        if not alone:
            st.caption(f"Left out: {messages.escape_markdown(table.problem.message)}")
        else:
            st.markdown(f"**{shown}** · {size(table.size)}")
            messages.show_error(table.problem)
        if table.header and len(table.header) > 1:
            with st.expander(f"Say which column is which in {shown}", icon=":material/rule:"):
                _column_choice(table, file_id, place)
        return
    if table.kind not in KINDS:
        st.markdown(f"**{shown}** · {size(table.size)}")
        st.error(
            f"{shown} is a file of groups: import it on the Settings page.",
            icon=":material/error:",
        )
        return
    lines = f" · {table.lines:,} line{'' if table.lines == 1 else 's'}" if not table.choice else ""
    st.markdown(f"**{KINDS[table.kind]}** · {shown}{lines} · {size(table.size)}")
    _columns(table)
    if table.choice and table.problem:
        st.warning(messages.escape_markdown(table.problem.message), icon=":material/help:")
    _choice(table, file_id, place)
    if f"kind_{file_id}_{place}" in st.session_state:
        # These boxes hold the choice. It is lost once they are not shown.
        with st.expander(f"Which column is which in {shown}", icon=":material/rule:"):
            _column_choice(table, file_id, place)
    for notice in table.notices:
        st.info(messages.escape_markdown(notice), icon=":material/info:")
    if table.problems:
        _problems(table, key)
    if table.understood and table.understood.subjects:
        _in_words(table, key)
    with st.expander(f"First lines of {shown}"):
        st.dataframe(
            table.rows.head(50),
            hide_index=True,
            key=f"preview_{key}",
            alt=f"The first lines of {table.name}",
            height=220,
        )


def _columns(table: Preview) -> None:
    mapped = [
        f"{theirs} → {ours}" if theirs != ours else ours for theirs, ours in table.columns.items()
    ]
    ignored = f" · ignored: {', '.join(table.ignored)}" if table.ignored else ""
    chosen = " (as was chosen)" if table.table.chosen else ""
    st.caption(messages.escape_markdown(f"Columns{chosen}: {', '.join(mapped)}{ignored}"))


def _choice(table: Preview, file_id: str, place: int) -> None:
    """The choice that is never guessed. It is required where a file can be read in two ways, and
    optional for the days of any hours."""
    wanted = table.choice
    if wanted is None and table.kind == BUSINESS_HOURS and "dayOfWeek" in table.columns.values():
        wanted = DAY_NUMBERS
    if wanted is None and st.session_state.get(f"{DATE_ORDER}_{file_id}") and table.kind == POLLS:
        wanted = DATE_ORDER
    # One widget a file: its tables are written by one program.
    asked = f"asked_{wanted}_{file_id}"
    if wanted is None or st.session_state.setdefault(asked, place) != place:
        return
    st.selectbox(
        ASKED[wanted],
        OPTIONS[wanted],
        index=None,
        format_func=lambda option: LABELS[option],
        placeholder="Choose" if table.choice else LABELS[OPTIONS[wanted][0]],
        key=f"{wanted}_{file_id}",
    )


def _column_choice(table: Preview, file_id: str, place: int) -> None:
    guess = table.closest if table.closest in KINDS else POLLS
    kind = st.selectbox(
        "What the file contains",
        list(COLUMNS),
        index=list(COLUMNS).index(guess),
        format_func=lambda kind: KINDS[kind],
        key=f"kind_{file_id}_{place}",
    )
    known = {ours: theirs for theirs, ours in table.columns.items()} if kind == guess else {}

    def with_samples(name: str) -> str:
        samples = ", ".join(table.samples.get(name, [])[:3])
        return f"{name} ({samples})" if samples else name

    for ours in _offered(kind):
        options = [NOT_CHOSEN, *dict.fromkeys(name for name in table.header if name)]
        st.selectbox(
            ours,
            options,
            index=options.index(known[ours]) if ours in known else 0,
            format_func=with_samples,
            key=f"column_{file_id}_{place}_{kind}_{ours}",
        )


def _problems(table: Preview, key: str) -> None:
    st.warning(
        f"{table.bad_lines:,} of {table.lines:,} line{'' if table.lines == 1 else 's'} would be "
        "rejected; the others count.",
        icon=":material/warning:",
    )
    st.dataframe(
        pd.DataFrame([asdict(problem) for problem in table.problems]),
        hide_index=True,
        column_config=jobs_table.REJECTED_COLUMNS,
        key=f"problems_{key}",
        alt=f"Lines of {table.name} that would be rejected",
        height=min(36 * (len(table.problems) + 1) + 2, 220),
    )


def _in_words(table: Preview, key: str) -> None:
    """What the file says about a store that the visitor chooses."""
    assert table.understood is not None  # noqa: S101 - for the type checker
    subjects = sorted(table.understood.subjects)
    left, right = st.columns([1, 3], vertical_alignment="center")
    subject = left.selectbox(
        "In words, for the store",
        subjects[:MOST_OFFERED],
        key=f"understood_{key}",
        help="How restmon reads what the file says of this store.",
    )
    right.markdown(messages.escape_markdown(table.understood.words(subject)))
