"""The figures, from arrays: what is drawn where, and how it is told apart."""

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.charts.daily import DayBars, draw_daily_uptime
from restmon.charts.example import draw_example
from restmon.charts.fleet import (
    HourLine,
    draw_heat_map,
    draw_uptime_over_time,
)
from restmon.charts.timeline import (
    DrawnStretches,
    PollMarks,
    StoreMarks,
    draw_timeline,
)
from restmon.core import worked_example
from restmon.core.instants import HOUR

CHICAGO = "America/Chicago"
NOTHING = DrawnStretches(np.empty(0, np.int64), np.empty(0, np.int64), [])
NO_POLLS = PollMarks(np.empty(0, np.int64), np.empty(0, bool), np.empty(0, bool), [])


def local(text: str, zone: str = CHICAGO, fold: int = 0) -> int:
    """The instant of a wall-clock time, in microseconds."""
    wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(wall.timestamp()) * 10**6


def stretches(*pairs: tuple[int, int]) -> DrawnStretches:
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return DrawnStretches(table[:, 0], table[:, 1], [f"text {n}" for n in range(len(pairs))])


def timeline(
    lo: int,
    hi: int,
    up: DrawnStretches = NOTHING,
    down: DrawnStretches = NOTHING,
    polls: PollMarks = NO_POLLS,
    zone: str = CHICAGO,
    opened: DrawnStretches = NOTHING,
    seen: DrawnStretches | None = None,
) -> go.Figure:
    whole = stretches((lo, hi)) if seen is None else seen
    return draw_timeline(zone, lo, hi, StoreMarks(opened, up, down, polls, whole, "unseen"))


def daily(days: list[date], up: Any, down: Any, seen_up: Any = None) -> go.Figure:
    """The bars of days of which all was seen, but for what was not seen of the time up."""
    up, down = np.asarray(up, float), np.asarray(down, float)
    return draw_daily_uptime(DayBars(days, up, down, up if seen_up is None else seen_up, down))


def over_time(ends: Any, up: Any, down: Any, seen: Any = None) -> go.Figure:
    """The line of hours of which all was seen, unless it is said otherwise."""
    up, down = np.asarray(up, float), np.asarray(down, float)
    return draw_uptime_over_time(HourLine(ends, up, down, up + down if seen is None else seen))


def rows(figure: go.Figure, places: Any) -> list[str]:
    """The dates beside which things are drawn."""
    dates = figure.layout.yaxis.ticktext
    assert list(figure.layout.yaxis.tickvals) == list(range(len(dates)))
    return [dates[round(float(place))] for place in places]


def bars(figure: go.Figure, trace: int) -> list[tuple[str, float, float, str]]:
    """(date, start hour, hours, text) of each bar of a trace."""
    drawn = figure.data[trace]
    return [
        (date, round(float(base), 6), round(float(x), 6), text)
        for date, base, x, text in zip(
            rows(figure, drawn.y), drawn.base, drawn.x, drawn.customdata, strict=True
        )
    ]


def edges(figure: go.Figure, trace: int) -> list[tuple[float, float]]:
    """The lower and the upper edge of each bar, in rows."""
    drawn = figure.data[trace]
    width = np.broadcast_to(drawn.width, np.shape(drawn.y))
    return list(zip(drawn.y - width / 2, drawn.y + width / 2, strict=True))


def one_of_each() -> dict[str, go.Figure]:
    """Every figure, with something in it."""
    lo, hi = local("2023-01-23 00:00"), local("2023-01-25 12:00")
    span = stretches((lo + HOUR, lo + 2 * HOUR))
    polls = PollMarks(np.array([lo]), np.array([True]), np.array([True]), ["poll"])
    found = [worked_example.work_example(method) for method in ("nearest", "previous")]
    rows = [(f.method, f.spans.start, f.spans.end, f.spans.status) for f in found]
    hours = np.ones(168)
    return {
        "timeline": timeline(lo, hi, span, span, polls, opened=span),
        "daily": daily([date(2023, 1, 23)], [3.0], [1.0]),
        "over time": over_time(lo + HOUR * np.arange(168), hours, hours),
        "heat map": draw_heat_map(np.ones((7, 24)), np.full((7, 24), 4.0)),
        "example": draw_example(
            rows, worked_example.OPENS, worked_example.CLOSES, worked_example.POLLS
        ),
    }


@pytest.mark.parametrize("name", one_of_each())
def test_every_figure_has_titles_and_no_legend_over_the_data(name: str):
    figure = one_of_each()[name]
    assert figure.layout.title.text
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text
    assert figure.layout.showlegend is False
    assert figure.layout.margin.t >= 40
    figure.to_json()


def test_a_span_is_drawn_on_the_local_dates_it_touches():
    lo, hi = local("2023-01-23 00:00"), local("2023-01-26 00:00")
    up = stretches((local("2023-01-23 22:00"), local("2023-01-25 01:30")))
    figure = timeline(lo, hi, up)
    assert bars(figure, 1) == [
        ("Mon, Jan 23", 22, 2, "text 0"),
        ("Tue, Jan 24", 0, 24, "text 0"),
        ("Wed, Jan 25", 0, 1.5, "text 0"),
    ]
    assert list(figure.layout.yaxis.ticktext) == ["Mon, Jan 23", "Tue, Jan 24", "Wed, Jan 25"]


def test_a_span_that_ends_at_midnight_stays_on_its_date():
    lo, hi = local("2023-01-23 00:00"), local("2023-01-25 00:00")
    up = stretches((local("2023-01-23 00:00"), local("2023-01-24 00:00")))
    assert bars(timeline(lo, hi, up), 1) == [("Mon, Jan 23", 0, 24, "text 0")]


def test_the_day_on_which_clocks_go_forward_has_a_gap():
    lo, hi = local("2023-03-12 00:00"), local("2023-03-13 00:00")
    assert hi - lo == 23 * HOUR
    assert bars(timeline(lo, hi, stretches((lo, hi))), 1) == [
        ("Sun, Mar 12", 0, 2, "text 0"),
        ("Sun, Mar 12", 3, 21, "text 0"),
    ]


def test_the_hour_that_comes_twice_is_drawn_in_halves():
    lo, hi = local("2022-11-05 00:00"), local("2022-11-07 00:00")
    assert hi - lo == 49 * HOUR
    first, second = (local("2022-11-06 01:30", fold=fold) for fold in (0, 1))
    assert second - first == HOUR
    quarter = HOUR // 4
    up, down = stretches((lo, hi)), stretches((first, first + quarter), (second, second + quarter))
    polls = PollMarks(
        np.array([lo, first, second]), np.ones(3, bool), np.ones(3, bool), ["", "first", "second"]
    )
    figure = timeline(lo, hi, up, down, polls)

    assert bars(figure, 1) == [
        ("Sat, Nov 5", 0, 24, "text 0"),
        ("Sun, Nov 6", 0, 1, "text 0"),
        ("Sun, Nov 6", 1, 1, "text 0"),
        ("Sun, Nov 6", 1, 1, "text 0"),
        ("Sun, Nov 6", 2, 22, "text 0"),
    ]
    whole, upper, lower = (0.75, 1.25), (1, 1.25), (0.75, 1)
    assert edges(figure, 1) == [(-0.25, 0.25), whole, upper, lower, whole]
    assert bars(figure, 2) == [("Sun, Nov 6", 1.5, 0.25, f"text {n}") for n in (0, 1)]
    assert edges(figure, 2) == [upper, lower]
    marks = figure.data[-2]
    assert list(marks.x) == [0, 1.5, 1.5]
    assert rows(figure, marks.y) == ["Sat, Nov 5", "Sun, Nov 6", "Sun, Nov 6"]
    assert marks.y[1] > 1 > marks.y[2]
    assert "Clocks went back on Sun, Nov 6" in figure.layout.xaxis.title.text
    other = timeline(lo, local("2022-11-06 00:00"), up, polls=polls)
    assert other.layout.xaxis.title.text == "Local time (America/Chicago)"


def test_zones_of_half_hours_are_cut_at_their_own_midnight():
    zone = "Asia/Kolkata"
    lo, hi = local("2023-01-23 00:00", zone), local("2023-01-25 00:00", zone)
    up = stretches((lo + 23 * HOUR, lo + 25 * HOUR))
    assert bars(timeline(lo, hi, up, zone=zone), 1) == [
        ("Mon, Jan 23", 23, 1, "text 0"),
        ("Tue, Jan 24", 0, 1, "text 0"),
    ]


@given(
    zone=st.sampled_from([CHICAGO, "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]),
    day=st.integers(0, 366),
    pieces=st.lists(st.integers(1, 72 * 60), min_size=1, max_size=8),
)
def test_cutting_loses_no_time_and_stays_in_the_day(zone: str, day: int, pieces: list[int]):
    begin = int(datetime(2022, 10, 1, tzinfo=UTC).timestamp() * 10**6) + day * 24 * HOUR
    ends = begin + np.cumsum([0, *pieces]) * 60 * 10**6
    every = DrawnStretches(ends[:-1], ends[1:], [str(n) for n in range(len(pieces))])
    figure = timeline(int(ends[0]), int(ends[-1]), every, zone=zone)
    drawn = bars(figure, 1)
    for n, minutes in enumerate(pieces):
        mine = [hours for _, _, hours, text in drawn if text == str(n)]
        assert sum(mine) == pytest.approx(minutes / 60, abs=1e-4)
    assert all(start >= 0 and start + hours <= 24 + 1e-6 for _, start, hours, _ in drawn)
    placed = list(zip(drawn, edges(figure, 1), strict=True))
    for minute in np.arange(0.5, 60 * 24, 7.0) / 60:
        here = sorted(
            low_high for (_, start, hours, _), low_high in placed if start <= minute < start + hours
        )
        assert all(a[1] <= b[0] for a, b in pairwise(here)), minute


def test_down_is_told_from_up_without_color():
    lo = local("2023-01-23 00:00")
    span = stretches((lo, lo + HOUR))
    figure = timeline(lo, lo + 24 * HOUR, span, span)
    up, down = figure.data[1], figure.data[2]
    assert not up.marker.pattern.shape
    assert down.marker.pattern.shape == "/"
    assert up.marker.color != down.marker.color
    bars_of_days = daily([date(2023, 1, 23)], [3.0], [1.0])
    assert [trace.marker.pattern.shape for trace in bars_of_days.data] == [None, "\\", "/", "\\"]
    for drawn in (figure, bars_of_days):
        assert "▨" in drawn.layout.title.subtitle.text


def test_polls_have_a_symbol_for_each_status_and_fade_where_they_do_not_count():
    lo = local("2023-01-23 00:00")
    polls = PollMarks(
        np.array([lo + HOUR, lo + 2 * HOUR, lo + 26 * HOUR]),
        np.array([True, False, True]),
        np.array([True, True, False]),
        ["one", "two", "three"],
    )
    figure = timeline(lo, lo + 48 * HOUR, polls=polls)
    active, inactive = figure.data[-2:]
    assert (active.marker.symbol, inactive.marker.symbol) == ("circle", "x")
    assert list(active.x) == [1, 2]
    assert rows(figure, active.y) == ["Mon, Jan 23", "Tue, Jan 24"]
    assert list(active.customdata) == ["one", "three"]
    assert active.marker.opacity[0] > active.marker.opacity[1]
    assert list(inactive.x) == [2]


def test_an_empty_timeline_still_has_its_dates():
    lo = local("2023-01-23 00:00")
    figure = timeline(lo, lo + 24 * HOUR)
    assert list(figure.layout.yaxis.ticktext) == ["Mon, Jan 23"]
    assert all(not len(trace.x) for trace in figure.data)


def test_each_day_tells_its_share():
    days = [date(2023, 1, 23), date(2023, 1, 24), date(2023, 1, 25)]
    figure = daily(days, np.array([6.0, 0, 0]), np.array([2.0, 0, 4]))
    assert list(figure.data[-1].text) == ["75%", "closed", "0%"]
    assert list(figure.data[0].customdata) == ["Mon, Jan 23", "Tue, Jan 24", "Wed, Jan 25"]


def test_a_day_that_was_nearly_up_is_not_told_as_all_up():
    days = [date(2023, 1, 23), date(2023, 1, 24)]
    figure = daily(days, np.array([23.99, 0.01]), np.array([0.01, 23.99]))
    assert list(figure.data[-1].text) == ["> 99%", "< 1%"]


def test_many_days_have_names_that_differ_and_no_texts():
    days = [date(2023, 1, 1).replace(day=1 + n) for n in range(31)] + [date(2023, 2, 1)]
    figure = daily(days, np.ones(32), np.zeros(32))
    assert len(set(figure.data[0].x)) == 32
    assert figure.data[-1].text is None


def test_no_days_at_all_is_an_empty_figure():
    assert daily([], np.empty(0), np.empty(0)).layout.title.text


def test_the_fleet_over_time_is_a_share_of_what_was_open():
    ends = HOUR * np.arange(1, 5)
    figure = over_time(ends, np.array([3.0, 0, 1, 0]), np.array([1.0, 0, 0, 2]))
    np.testing.assert_allclose(figure.data[0].y, [75, np.nan, 100, 0])
    low, high = figure.layout.yaxis.range
    assert low == 0
    assert 100 < high < 110


def test_the_axis_begins_below_the_lowest_share():
    figure = over_time(HOUR * np.arange(2), np.array([96.0, 99]), np.array([4.0, 1]))
    assert figure.layout.yaxis.range[0] == 90


@pytest.mark.parametrize("open_time", [np.zeros(3), np.empty(0)])
def test_a_fleet_that_was_never_open_is_an_empty_line(open_time: np.ndarray):
    figure = over_time(HOUR * np.arange(len(open_time)), open_time, open_time)
    assert np.isnan(np.asarray(figure.data[0].y, float)).all()
    low, high = figure.layout.yaxis.range
    assert low < high


def test_the_heat_map_shows_shares_and_leaves_closed_hours_empty():
    down, opened = np.zeros((7, 24)), np.full((7, 24), 2.0)
    down[2, 13] = 0.5
    opened[0, 0] = 0
    heat = draw_heat_map(down, opened).data[0]
    assert heat.z[2][13] == 25
    assert np.isnan(heat.z[0][0])
    assert heat.y[2] == "Wed"
    assert heat.x[13] == "1 PM"
    assert heat.zmin == 0
    assert heat.zmax == 25


def test_a_heat_map_without_any_downtime_or_open_hour_has_a_scale():
    for opened in (0.0, 1.0):
        heat = draw_heat_map(np.zeros((7, 24)), np.full((7, 24), opened)).data[0]
        assert heat.zmax >= 1


def test_the_worked_example_is_drawn_to_scale():
    figure = one_of_each()["example"]
    texts = {annotation.text.strip("<b>/") for annotation in figure.layout.annotations}
    assert texts == {"104.5 min", "75.5 min", "135 min", "45 min"}
    hours = sorted(float(x) for trace in figure.data[1:] if trace.type == "bar" for x in trace.x)
    assert hours == [0.75, 75.5 / 60, 104.5 / 60, 2.25]
    assert list(figure.layout.xaxis.ticktext) == ["9:00 AM", "10:14 AM", "11:15 AM", "12:00 PM"]


def test_time_that_nobody_saw_is_pale_and_hatched():
    lo = local("2023-01-23 00:00")
    span = stretches((lo + HOUR, lo + 9 * HOUR))
    seen = stretches((lo, lo + 2 * HOUR), (lo + 5 * HOUR, lo + 6 * HOUR))
    figure = timeline(lo, lo + 24 * HOUR, span, span, seen=seen)
    drawn = [[(start, hours) for _, start, hours, _ in bars(figure, n)] for n in range(1, 5)]
    assert drawn == [[(1, 1), (5, 1)]] * 2 + [[(2, 3), (6, 3)]] * 2
    assert [figure.data[n].marker.pattern.shape for n in range(1, 5)] == [None, "/", "\\", "\\"]
    assert [text for *_, text in bars(figure, 3)] == ["text 0<br>unseen"] * 2
    assert "no data" in figure.layout.title.subtitle.text


def test_a_day_that_nobody_saw_is_hatched_in_its_bar():
    figure = daily([date(2023, 1, 23)], [3.0], [1.0], np.array([1.0]))
    assert [list(trace.y) for trace in figure.data] == [[1], [2], [1], [0]]
    assert figure.data[-1].text[0] == "75%"


def test_hours_of_which_little_was_seen_lie_on_a_hatched_ground():
    seen = np.array([4.0, 3.2, 3.1, 0.0])
    line, ground = over_time(HOUR * np.arange(4), np.full(4, 3.0), np.ones(4), seen).data
    assert list(ground.x) == list(line.x[2:])
    assert ground.marker.pattern.shape
    assert [color == "#FFFFFF" for color in line.marker.color] == [False, False, True, True]


def test_hours_in_which_few_stores_are_open_are_faded():
    opened = np.full((7, 24), 100.0)
    opened[0, 3], opened[0, 4] = 20, 4
    heat = draw_heat_map(opened / 10, opened).data
    shown = [np.isfinite(np.asarray(trace.z, float)) for trace in heat]
    assert (shown[0].astype(int) + shown[1] + shown[2] == 1).all()
    assert shown[1][0, 3]
    assert shown[2][0, 4]
    assert (heat[0].opacity or 1) > heat[1].opacity > heat[2].opacity
