"""Edit a store's business hours and zone; put stores into groups."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from pages import parts
from restmon import audit, database, editing, groups
from restmon.errors import RestmonError
from restmon.hours import DEFAULT_ZONE
from restmon.roles import Role
from restmon.wording import WEEKDAYS

DAYS = {str(n): f"{n} {name}" for n, name in enumerate(WEEKDAYS)}
DAY, START, END = editing.COLUMNS
NO_ZONE = f"Not known ({DEFAULT_ZONE} is assumed)"
COLUMN_NAMES = {DAY: "Day", START: "Opens", END: "Closes"}


@st.cache_data(show_spinner=False)
def zone_names() -> list[str]:
    """Every IANA zone, those of the United States first."""
    american = ("America/", "US/", "Pacific/Honolulu")
    return sorted(available_timezones(), key=lambda z: (not z.startswith(american), z))


def say(text: str) -> None:
    """Tell what was done, also after the page has run again."""
    st.session_state["said"] = text


def changed_groups(text: str, subject: str) -> None:
    """Tell what was done to a group, or by a file of groups, and put it on record."""
    audit.note(parts.actor(), audit.GROUPS_CHANGED, subject, parts.address())
    say(text)


def told_before() -> None:
    """What the last press of a button did."""
    if text := st.session_state.pop("said", None):
        st.success(parts.literal(text), icon=":material/check_circle:")


@contextmanager
def told_here() -> Iterator[None]:
    """Tell what went wrong inside the block; the page goes on."""
    try:
        yield
    except RestmonError as error:
        parts.tell(error)


def store_form(store_ids: list[str]) -> None:
    """The hours and zone of one store."""
    chosen = parts.store_choice(store_ids)
    if not chosen:
        st.info("Choose a store to see and change its business hours and time zone.")
        return
    with parts.told(), database.reading():
        kept = editing.hours_of(chosen)
    zones = [NO_ZONE, *zone_names()]
    if kept.zone and kept.zone not in zones:
        zones.append(kept.zone)
    zone = st.selectbox(
        "Time zone", zones, zones.index(kept.zone or NO_ZONE), key=f"zone_of_{chosen}"
    )
    st.markdown("**Business hours**, local time; a row for each stretch.")
    if not len(kept.hours):
        st.caption("No hours are given, so the store counts as open 24×7. Add rows to change that.")
    text = st.column_config.TextColumn
    edited = st.data_editor(
        kept.hours,
        num_rows="dynamic",
        hide_index=True,
        column_config={
            DAY: st.column_config.SelectboxColumn(
                "Day",
                options=list(DAYS),
                format_func=lambda n: DAYS.get(n, n),
                required=True,
                width=115,
            ),
            START: text("Opens", help="HH:MM", required=True),
            END: text(
                "Closes",
                help="HH:MM; 24:00 or 23:59 is midnight; earlier than the opening: on the next day",
                required=True,
            ),
        },
        key=f"hours_of_{chosen}_{st.session_state.get('saved', 0)}",
        alt=f"Business hours of store {chosen}",
        width=520,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        saving = st.button("Save", type="primary", icon=":material/save:", key="save")
        st.page_link(
            "pages/store.py",
            label="See this store",
            icon=":material/storefront:",
            query_params={"store": chosen},
        )
    if saving:
        try:
            rows = edited[[DAY, START, END]].itertuples(index=False, name=None)
            changed = editing.save(chosen, rows, None if zone == NO_ZONE else zone, parts.actor())
        except editing.HoursRejected as error:
            st.error("These rows cannot be kept; nothing was changed.", icon=":material/error:")
            st.dataframe(
                pd.DataFrame(
                    [(p.line, COLUMN_NAMES[p.column], p.value, p.reason) for p in error.problems],
                    columns=["line", "column", "value", "reason"],
                ),
                hide_index=True,
                column_config={**parts.REJECTED_COLUMNS, "line": "Row"},
                key="problems",
                alt="The rows that cannot be kept",
            )
            return
        except RestmonError as error:
            parts.tell(error)
            return
        st.session_state["saved"] = st.session_state.get("saved", 0) + 1
        say("Saved." if changed else "Nothing was changed, as all is as before.")
        st.rerun()


def group_import() -> None:
    """Groups from a CSV file."""
    with st.expander("Import groups from a CSV", icon=":material/upload_file:"):
        st.markdown("Columns `store_id` and `group`; a store may be in several groups.")
        file = st.file_uploader(
            "CSV of groups",
            type=["csv", "gz"],
            key=f"groups_csv_{st.session_state.get('group_uploads', 0)}",
        )
        if file and st.button("Import the groups", type="primary", key="import_groups"):
            with told_here():
                import_groups(file)
    if rejections := st.session_state.get("group_rejections"):
        st.warning("These lines were left out; all others count.", icon=":material/warning:")
        st.dataframe(
            pd.DataFrame([asdict(rejection) for rejection in rejections]),
            hide_index=True,
            column_config=parts.REJECTED_COLUMNS,
            key="group_problems",
            alt="Rejected lines of the groups file",
            height=min(36 * (len(rejections) + 1) + 2, 220),
        )


def import_groups(file: Any) -> None:
    """Import memberships; what was rejected is shown until the next import."""
    done = groups.import_csv(file, file.name)
    st.session_state["group_uploads"] = st.session_state.get("group_uploads", 0) + 1
    st.session_state["group_rejections"] = done.rejections
    counts = done.counts
    changed_groups(
        f"{counts.read:,} lines read: {counts.new:,} new, {counts.unchanged:,} unchanged, "
        f"{counts.rejected:,} rejected.",
        file.name,
    )
    st.rerun()


def new_group() -> None:
    """Make an empty group, which is then the one to change."""
    with st.form("new_group", clear_on_submit=True, border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input("Name of a new group", max_chars=64, key="new_name")
        pressed = right.form_submit_button("Add the group", icon=":material/add:")
    if pressed:
        with told_here():
            made = groups.create(name)
            changed_groups(f"The group {made.name} is there; put stores into it below.", made.name)
            go_on_with(made.name)


def go_on_with(group: str | None) -> None:
    """Run the page again, with that group as the one to change."""
    st.session_state["next_group"] = group
    st.rerun()


def group_list(listed: list[groups.GroupSize]) -> None:
    """All groups, and their download."""
    st.dataframe(
        pd.DataFrame([(entry.name, entry.stores) for entry in listed], columns=["name", "stores"]),
        hide_index=True,
        column_config={
            "name": "Group",
            "stores": st.column_config.NumberColumn("Stores", format="localized"),
        },
        key="groups",
        alt="All groups with the number of their stores",
        width=420,
    )
    st.download_button(
        "Download all groups (CSV)",
        lambda: groups.export_csv().encode(),
        "groups.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="groups_download",
    )


def group_form(store_ids: list[str]) -> None:
    """The groups: a brand, an owner, a city."""
    st.markdown(
        "A group is any set of stores you want to look at together: a brand, an owner, a city. "
        "The overview and the list of stores can be narrowed to one."
    )
    new_group()
    group_import()
    listed = groups.listed()
    if not listed:
        st.info("There is no group yet. Add one, or import a CSV.")
        return
    group_list(listed)
    if wanted := st.session_state.pop("next_group", None):
        st.session_state["edit"] = wanted
    names = [entry.name for entry in listed]
    chosen = st.selectbox("Change a group", names, key="edit", bind="query-params")
    members = groups.members_of(chosen)
    saved = st.session_state.get("saved", 0)
    if members:
        st.dataframe(
            pd.DataFrame({"store": members}),
            hide_index=True,
            lazy=True,
            column_config={"store": "Stores of the group"},
            key="members",
            alt=f"The stores of the group {chosen}",
            width=420,
            height=min(36 * (len(members) + 1) + 2, 220),
        )
    else:
        st.caption("No store is in this group yet.")
    left, right = st.columns(2)
    inside = set(members)
    added = left.multiselect(
        "Put stores in",
        [store_id for store_id in store_ids if store_id not in inside],
        key=f"added_{chosen}_{saved}",
        placeholder="Choose stores, or type a part of an id",
    )
    removed = right.multiselect(
        "Take stores out",
        members,
        key=f"removed_{chosen}_{saved}",
        placeholder="Choose stores of the group",
    )
    new_name = st.text_input("Name", chosen, max_chars=64, key=f"name_{chosen}_{saved}")
    with st.container(horizontal=True):
        save = st.button("Save the group", type="primary", icon=":material/save:", key="save_group")
        with st.popover("Delete the group", icon=":material/delete:"):
            st.markdown(f"Its {len(members):,} stores stay.")
            sure = st.button("Delete it", key="delete_group")
    if save:
        with told_here():
            kept = groups.rename(chosen, new_name)
            groups.add(kept, added)
            groups.remove(kept, removed)
            st.session_state["saved"] = saved + 1
            count = len(groups.members_of(kept))
            changed_groups(
                f"The group {kept} has {count:,} store{'' if count == 1 else 's'}.", kept
            )
            go_on_with(kept)
    if sure:
        with told_here():
            groups.delete(chosen)
            changed_groups(f"The group {chosen} is deleted.", chosen)
            go_on_with(None)


parts.framed(Role.OWNER)
who = parts.actor()
st.title("Settings")
told_before()
every_store = parts.store_ids()
if not every_store:
    parts.nothing_yet()
if not who.may(Role.OPERATOR):
    store_form(every_store)
    st.stop()
hours_tab, groups_tab = st.tabs(
    ["Hours and zone of a store", "Groups"], key="part", bind="query-params"
)
with hours_tab:
    if hours_tab.open:
        store_form(every_store)
with groups_tab:
    if groups_tab.open:
        group_form(every_store)
