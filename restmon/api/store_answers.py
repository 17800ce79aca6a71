"""Stores, groups and their uptime as answers: hours and per cent with two decimals, rounded half to
even from the exact value, instants as ISO 8601 with Z."""

from fractions import Fraction
from typing import Any

from restmon.api.parameters import write_cursor
from restmon.api.store_models import (
    BusinessHoursRow,
    GroupEntry,
    GroupList,
    GroupUptime,
    Span,
    StatusCounts,
    Store,
    StoreEntry,
    StoreList,
    StoreSpans,
    StoreUptime,
    UptimePeriod,
    UptimeTotal,
)
from restmon.core.formatting import wall_text
from restmon.core.instants import DAY, WEEK, as_datetime, date_of
from restmon.core.periods import BY_HOUR
from restmon.core.status_now import STATUS_NAMES
from restmon.reporting.current_status import NEVER
from restmon.reporting.details_table import ASSUMED, GIVEN, UNREADABLE, make_table
from restmon.reporting.group_list import GroupSeries, GroupSummary
from restmon.reporting.store_list import Page
from restmon.reporting.store_profile import StoreProfile
from restmon.reporting.store_timeline import StoreTimeline
from restmon.reporting.target_standing import TWICE_AN_HOUR, describe_standing
from restmon.reporting.uptime_series import Sums, UptimeSeries
from restmon.stores.targets import as_percent

STATUS_MEMBERS = [name.replace(" ", "_") for name in STATUS_NAMES]


def iso(instant: int) -> str:
    """Return an instant as ISO 8601 with Z, to the microsecond."""
    return f"{as_datetime(instant).isoformat(timespec='microseconds')[:26]}Z"


def known_iso(instant: int) -> str | None:
    """Return an instant as ISO 8601 with Z, or None for NEVER."""
    return None if instant == NEVER else iso(instant)


def hours(half_microseconds: int) -> float:
    """Return a length of time in hours with two decimals."""
    return round(Fraction(100 * half_microseconds, TWICE_AN_HOUR)) / 100


def percent(part: int, whole: int) -> float | None:
    """Return a part of a whole in per cent with two decimals, or None if the whole is 0."""
    return round(Fraction(10_000 * part, whole)) / 100 if whole else None


def store_list(page: Page, sort: str) -> StoreList:
    """Return a page of the list of stores sorted by ``sort``."""
    fleet = page.listing.fleet
    return StoreList(
        as_of=iso(fleet.as_of),
        window_from=iso(fleet.as_of - WEEK),
        window_to=iso(fleet.as_of),
        count=page.count,
        stores=[_entry(page, n) for n in page.chosen.tolist()],
        next=None if page.next is None else write_cursor(sort, page.next),
    )


def _entry(page: Page, n: int) -> StoreEntry:
    fleet = page.listing.fleet
    up, down = int(fleet.up[n, 2]), int(fleet.down[n, 2])
    known = UNREADABLE if fleet.hours_unreadable[n] else GIVEN
    return StoreEntry(
        store_id=fleet.ids[n],
        name=page.listing.names[n],
        groups=page.listing.groups[n],
        zone=fleet.stores.zones[int(fleet.stores.zone_of_store[n])],
        zone_assumed=bool(fleet.zone_assumed[n]),
        hours=ASSUMED if fleet.hours_assumed[n] else known,
        status_now=STATUS_NAMES[int(fleet.status_now[n])],
        down_since=known_iso(int(fleet.down_since[n])),
        last_poll=known_iso(int(fleet.last_poll[n])),
        up=hours(up),
        down=hours(down),
        uptime_percent=percent(up, up + down),
        outages=int(fleet.outages[n]),
    )


def store(profile: StoreProfile) -> Store:
    """Return everything known about a store."""
    (record,) = make_table(profile.details).records()
    of_details = {name: record[name] for name in Store.model_fields if name in record}
    return Store(
        **of_details | describe_standing(profile.details.standing.each()),
        address=profile.address,
        business_hours=[
            BusinessHoursRow(
                day_of_week=day,
                start_time_local=None if start is None else wall_text(start),
                end_time_local=None if end is None else wall_text(end),
            )
            for day, start, end in profile.hours
        ],
        sales_per_hour=profile.sales_per_hour,
        opened_on=_date(profile.opened_on),
        closed_on=_date(profile.closed_on),
        as_of=iso(profile.details.as_of),
    )


def store_uptime(store_id: str, found: UptimeSeries) -> StoreUptime:
    """Return the uptime of a store."""
    return StoreUptime(store_id=store_id, **_window(found), **_uptime(found))


def group_uptime(found: GroupSeries) -> GroupUptime:
    """Return the uptime of a group."""
    series, target = found.series, found.target
    return GroupUptime(
        group=found.group,
        stores=series.stores,
        never_observed=series.never_observed,
        target=None if target is None else as_percent(target),
        **_window(series),
        **_uptime(series),
        **describe_standing(found.standing.together()),
    )


def _window(found: UptimeSeries | StoreTimeline) -> dict[str, Any]:
    return {
        "as_of": iso(found.as_of),
        "window_from": iso(found.lo),
        "window_to": iso(found.hi),
        "method": found.method,
    }


def _uptime(found: UptimeSeries) -> dict[str, Any]:
    periods = [
        UptimePeriod(
            start=iso(begin),
            end=iso(end),
            date=None if found.by == BY_HOUR else date_of(number).isoformat(),
            **_times(found.sums, n),
        )
        for n, (number, begin, end) in enumerate(
            zip(found.number.tolist(), found.begin.tolist(), found.end.tolist(), strict=True)
        )
    ]
    total = UptimeTotal(**_times(found.sums.total(), 0), outages=found.outages)
    return {"by": found.by, "total": total, "periods": periods}


def _times(sums: Sums, n: int) -> dict[str, Any]:
    opened, up, down = int(sums.open[n]), int(sums.up[n]), int(sums.down[n])
    return {
        "open": hours(opened),
        "up": hours(up),
        "down": hours(down),
        "uptime_percent": percent(up, up + down),
        "coverage": percent(int(sums.covered[n]), opened),
    }


def store_spans(found: StoreTimeline) -> StoreSpans:
    """Return the timeline of a store."""
    spans = found.spans
    columns = (spans.start, spans.end, spans.status, spans.poll, spans.starts.kind, spans.ends.kind)
    return StoreSpans(
        store_id=found.store_id,
        **_window(found),
        spans=[
            Span(
                start=iso(start),
                end=iso(end),
                status="up" if status == 1 else "down",
                poll=iso(poll),
                starts_at=starts,
                ends_at=ends,
            )
            for start, end, status, poll, starts, ends in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ],
    )


def group_list(as_of: int, groups: list[GroupSummary]) -> GroupList:
    """Return the groups as they are now."""
    return GroupList(
        as_of=iso(as_of),
        window_from=iso(as_of - DAY),
        window_to=iso(as_of),
        groups=[
            GroupEntry(
                group=one.name,
                stores=one.stores,
                statuses=StatusCounts(**dict(zip(STATUS_MEMBERS, one.statuses, strict=True))),
                open=hours(one.open),
                up=hours(one.up),
                down=hours(one.down),
                uptime_percent=percent(one.up, one.up + one.down),
                coverage=percent(one.covered, one.open),
            )
            for one in groups
        ],
    )


def _date(number: int | None) -> str | None:
    return None if number is None else date_of(number).isoformat()
