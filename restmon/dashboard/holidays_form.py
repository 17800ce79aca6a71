"""The form that adds public holidays to the other hours of a store or a group."""

from collections.abc import Callable

import streamlit as st

from restmon.access.roles import Actor
from restmon.core.instants import as_datetime
from restmon.dashboard import messages
from restmon.ingest import holiday_hours
from restmon.ingest.holiday_hours import FIRST_YEAR, LAST_YEAR, HolidayHours
from restmon.storage.models import now
from restmon.stores.subjects import Subject

FEDERAL = "All states"


@st.cache_data(show_spinner=False)
def list_states() -> list[str]:
    """The states that have holidays of their own."""
    return holiday_hours.list_states()


@st.cache_data(show_spinner=False, max_entries=64)
def name_holidays(year: int, state: str | None) -> dict[str, str]:
    """The holidays of a year: each name with its date."""
    found = holiday_hours.list_holidays(year, state)
    return {day.name: f"{day.name}, {day.date:%a %b} {day.date.day}" for day in found}


def show_holidays_form(
    subject: Subject, actor: Actor, save: Callable[[Callable[[], bool]], None]
) -> None:
    """Choose holidays of a calendar and the hours on them. ``save`` makes the change."""
    whose = f"{'store' if subject.store else 'group'}_{subject.store or subject.group}"
    with st.popover("Add holidays", icon=":material/celebration:", key=f"holidays_{whose}"):
        left, right = st.columns(2)
        year = left.number_input(
            "Year", FIRST_YEAR, LAST_YEAR, as_datetime(now()).year, key=f"holiday_year_{whose}"
        )
        state = right.selectbox("State", [FEDERAL, *list_states()], key=f"holiday_state_{whose}")
        with messages.stop_on_error():
            named = name_holidays(int(year), None if state == FEDERAL else state)
        chosen = st.multiselect(
            "Holidays",
            list(named),
            format_func=lambda name: named.get(name, name),
            placeholder="All of them",
            key=f"holidays_of_{whose}_{year}_{state}",
        )
        opens = left.text_input("Opens", key=f"holiday_opens_{whose}", placeholder="closed")
        closes = right.text_input("Closes", key=f"holiday_closes_{whose}", placeholder="closed")
        hours = HolidayHours(
            int(year), None if state == FEDERAL else state, tuple(chosen), opens, closes
        )
        if st.button("Add them", icon=":material/add:", key=f"add_holidays_{whose}"):
            save(lambda: bool(holiday_hours.save_holiday_hours(subject, hours, actor)))
