"""The report in plain pandas: the same numbers (SEMANTICS.md), store by store.

What one writes first: group the polls by store, and for each store compute its open intervals, the
span each poll stands for, and sums. Exact, as pandas counts nanoseconds.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import numpy as np
import pandas as pd

DEFAULT_ZONE = "America/Chicago"
ONE_DAY = pd.Timedelta(days=1)
END_OF_DAY = pd.Timedelta("23:59:00")
WINDOWS = {
    "last_hour": (pd.Timedelta(hours=1), pd.Timedelta(minutes=1)),
    "last_day": (pd.Timedelta(hours=24), pd.Timedelta(hours=1)),
    "last_week": (pd.Timedelta(hours=168), pd.Timedelta(hours=1)),
}
"""Length of each window and the unit it is told in."""


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The polls, hours and zones of a folder's CSV files, as :func:`report` takes them."""
    polls = pd.read_csv(folder / "polls.csv", dtype=str)
    instants = polls["timestamp_utc"].str.removesuffix(" UTC")
    polls["timestamp_utc"] = pd.to_datetime(instants, utc=True, format="ISO8601")
    hours = pd.read_csv(folder / "business_hours.csv", dtype=str)
    hours = hours.rename(columns={"start_time_local": "start", "end_time_local": "end"})
    hours["day"] = hours["day"].astype(int)
    return polls, hours, pd.read_csv(folder / "timezones.csv", dtype=str)


def report(
    polls: pd.DataFrame, hours: pd.DataFrame, zones: pd.DataFrame, as_of: pd.Timestamp
) -> str:
    """The CSV of all stores as of an instant.

    ``polls`` has store_id, timestamp_utc (datetime64, UTC) and status (text), ``hours`` store_id,
    day (0 = Monday), start and end (text), ``zones`` store_id and timezone_str.
    """
    polls = polls[polls["timestamp_utc"] <= as_of]
    polls = polls.drop_duplicates(["store_id", "timestamp_utc"], keep="last")
    polls = polls.assign(
        timestamp_utc=polls["timestamp_utc"].dt.as_unit("ns"),
        up=polls["status"].str.lower() == "active",
    ).sort_values("timestamp_utc")
    hours = hours.assign(start=as_timedelta(hours["start"]), end=as_timedelta(hours["end"]))
    polls_of = dict(list(polls.groupby("store_id")))
    hours_of = dict(list(hours.groupby("store_id")))
    zone_of = dict(zip(zones["store_id"], zones["timezone_str"], strict=True))
    as_of = as_of.as_unit("ns")
    rows = [
        {
            "store_id": store,
            **row(
                polls_of.get(store), hours_of.get(store), zone_of.get(store, DEFAULT_ZONE), as_of
            ),
        }
        for store in sorted({*polls_of, *hours_of, *zone_of})
    ]
    columns = [f"{what}_{window}" for what in ("uptime", "downtime") for window in WINDOWS]
    return pd.DataFrame(rows, columns=["store_id", *columns]).to_csv(index=False)


def as_timedelta(text: pd.Series) -> pd.Series:
    """Wall-clock times HH:MM or HH:MM:SS as the time since midnight."""
    return pd.to_timedelta(text.where(text.str.len() > 5, text + ":00")).dt.as_unit("ns")


def row(
    polls: pd.DataFrame | None, hours: pd.DataFrame | None, zone: str, as_of: pd.Timestamp
) -> dict[str, str]:
    """The six numbers of one store as text."""
    totals = dict.fromkeys(WINDOWS, (0, 0))
    if polls is not None:
        since = min(polls["timestamp_utc"].iloc[0], as_of - WINDOWS["last_week"][0])
        intervals = open_intervals(hours, zone, since, as_of)
        inside = observations(polls, intervals)
        if len(inside):
            totals = up_and_down(inside, intervals, as_of)
    return {
        f"{what}_{window}": two_decimals(totals[window][place], unit.value)
        for place, what in enumerate(("uptime", "downtime"))
        for window, (_, unit) in WINDOWS.items()
    }


def open_intervals(
    hours: pd.DataFrame | None, zone: str, lo: pd.Timestamp, hi: pd.Timestamp
) -> pd.DataFrame:
    """The merged open intervals of one store from lo to hi (and a bit further), in UTC."""
    if hours is None:
        return pd.DataFrame({"start": [lo - ONE_DAY], "end": [hi + ONE_DAY]})
    first = lo.tz_localize(None).normalize() - 3 * ONE_DAY
    last = hi.tz_localize(None).normalize() + 2 * ONE_DAY
    dates = pd.DataFrame({"date": pd.date_range(first, last, unit="ns")})
    dates["day"] = dates["date"].dt.day_of_week
    rows = dates.merge(hours, on="day")
    start = rows["date"] + rows["start"]
    end = rows["end"].where(rows["end"] < END_OF_DAY, ONE_DAY)
    end = rows["date"] + end.where(end > rows["start"], end + ONE_DAY)
    found = pd.DataFrame(
        {
            "start": in_utc(start, zone, first_occurrence=True),
            "end": in_utc(end, zone, first_occurrence=False),
        }
    )
    found = found[found["start"] < found["end"]].sort_values("start")
    new = found["start"] > found["end"].cummax().shift()
    return found.groupby(new.cumsum()).agg({"start": "min", "end": "max"})


def in_utc(wall: pd.Series, zone: str, *, first_occurrence: bool) -> pd.Series:
    """Wall-clock times in UTC; one that is skipped is the instant of the jump.

    That is a nanosecond after the last time before it: pandas shifts forward by a whole hour also
    where the clocks jump by half of one (Lord Howe).
    """
    ambiguous = np.full(len(wall), first_occurrence)
    there = wall.dt.tz_localize(zone, ambiguous=ambiguous, nonexistent="NaT")
    before = wall.dt.tz_localize(zone, ambiguous=ambiguous, nonexistent="shift_backward")
    local = there.where(there.notna(), before + pd.Timedelta(1, "ns"))
    return local.dt.tz_convert("UTC")


def observations(polls: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """The polls inside open intervals, each with its interval."""
    inside = pd.merge_asof(polls, intervals, left_on="timestamp_utc", right_on="start")
    return inside[inside["timestamp_utc"] < inside["end"]].reset_index(drop=True)


def up_and_down(
    inside: pd.DataFrame, intervals: pd.DataFrame, as_of: pd.Timestamp
) -> dict[str, tuple[int, int]]:
    """Nanoseconds up and down in each window."""
    # Each poll holds from the switch before it to the one after it.
    time, next_time, next_start = (
        inside["timestamp_utc"],
        *(inside[column].shift(-1) for column in ("timestamp_utc", "start")),
    )
    halfway = time + (next_time - time) / 2
    same = inside["start"] == next_start
    switch = halfway.where(same | (halfway > inside["end"]), inside["end"])
    switch = switch.where(same | (switch < next_start), next_start)[:-1]
    begin, end = intervals["start"].min(), intervals["end"].max()
    edges = open_time(intervals, pd.concat([pd.Series([begin]), switch, pd.Series([end])]))
    windows = pd.Series([as_of, *(as_of - length for length, _ in WINDOWS.values())])
    now, *begins = open_time(intervals, windows.sort_values()).sort_index()
    totals = {}
    for window, begin_of_window in zip(WINDOWS, begins, strict=True):
        held = edges.clip(begin_of_window, now).diff()[1:].reset_index(drop=True)
        totals[window] = held[inside["up"]].sum().value, held[~inside["up"]].sum().value
    return totals


def open_time(intervals: pd.DataFrame, instants: pd.Series) -> pd.Series:
    """The open time from the first interval on up to each of some sorted instants."""
    lengths = intervals["end"] - intervals["start"]
    clock = intervals.assign(length=lengths, before=lengths.cumsum() - lengths)
    found = pd.merge_asof(instants.to_frame("at"), clock, left_on="at", right_on="start")
    gone = (found["at"] - found["start"]).clip(upper=found["length"])
    return (found["before"] + gone).fillna(pd.Timedelta(0)).set_axis(instants.index)


def two_decimals(nanoseconds: int, unit: int) -> str:
    """A length in units, rounded half to even from the exact value."""
    exact = Decimal(nanoseconds) / Decimal(unit)
    return str(exact.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
