"""Windows as a user writes them, and what they are in each zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.instants import DAY, HOUR, WEEK, from_datetime
from restmon.errors import BadRequest
from restmon.ingest.values.one_timestamp import timestamp
from restmon.reporting.windows import LAST_WEEK, MOST_DAYS, Window, parse_window

ZONES = ["America/Chicago", "America/New_York", "Pacific/Auckland", "UTC"]
AS_OF = timestamp(b"2023-11-28 18:13:22 UTC") or 0


def at(text: str) -> int:
    found = timestamp(text.encode())
    assert found is not None
    return found


def asked(**words: str) -> Window:
    found = parse_window({name.rstrip("_"): text for name, text in words.items()})
    assert found is not None
    return found


def test_no_words_are_no_window():
    assert parse_window({}) is None
    assert parse_window({"from": "", "to": None, "month": " "}) is None
    assert LAST_WEEK.of_all(AS_OF) == (AS_OF - WEEK, AS_OF)


@pytest.mark.parametrize(
    ("text", "length"), [("24h", DAY), ("30d", 30 * DAY), ("4W", 4 * WEEK), ("1 h", HOUR)]
)
def test_a_length_of_time_ends_at_as_of(text: str, length: int):
    lo, hi = asked(last=text).resolve(AS_OF, ZONES)
    assert (lo == AS_OF - length).all()
    assert (hi == AS_OF).all()


@given(
    first=st.dates(date(1970, 1, 1), date(2023, 11, 1)), days=st.integers(1, 20), to=st.booleans()
)
def test_a_local_date_is_midnight_in_each_zone(first: date, days: int, to: bool):
    last = first + timedelta(days)
    words = {"from": str(first), "to": str(last)}
    lo, hi = asked(**words).resolve(AS_OF, ZONES)
    for z, zone in enumerate(ZONES):
        for instant, day in ((lo[z], first), (hi[z], last)):
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
            assert instant == from_datetime(midnight)
    if to and AS_OF - from_datetime(datetime.combine(first, datetime.min.time())) < 300 * DAY:
        open_end = asked(from_=str(first)).resolve(AS_OF, ZONES)
        assert (open_end[0] == lo).all()
        assert (open_end[1] == AS_OF).all()


def test_a_date_whose_midnight_is_skipped_begins_when_the_clock_jumps():
    lo, _ = asked(from_="2023-03-26", to="2023-03-27").resolve(AS_OF, ["Asia/Beirut"])
    assert lo[0] == at("2023-03-25T22:00:00Z")  # clocks went from midnight to 1:00


def test_a_month_is_each_zones_and_cut_at_as_of():
    lo, hi = asked(month="2023-11").resolve(AS_OF, ZONES)
    assert lo[0] == at("2023-11-01T05:00:00Z")
    assert lo[2] == at("2023-10-31T11:00:00Z")
    assert (hi == AS_OF).all()
    lo, hi = asked(month="2023-10").resolve(AS_OF, ZONES)
    assert hi[0] == at("2023-11-01T05:00:00Z")
    assert hi[2] == at("2023-10-31T11:00:00Z")


def test_a_month_that_has_begun_in_some_zones_is_empty_in_the_others():
    as_of = at("2023-10-31T12:00:00Z")
    lo, hi = asked(month="2023-11").resolve(as_of, ZONES)
    assert (hi - lo).tolist() == [0, 0, HOUR, 0]


def test_instants_are_the_same_everywhere_and_dates_of_all_are_those_of_utc():
    window = asked(from_="2023-11-20T00:00:00Z", to="2023-11-21 06:00:00")
    lo, hi = window.resolve(AS_OF, ZONES)
    assert set(lo.tolist()) == {at("2023-11-20T00:00:00Z")}
    assert set(hi.tolist()) == {at("2023-11-21T06:00:00Z")}
    begin = at("2023-11-20T00:00:00Z")
    assert asked(from_="2023-11-20", to="2023-11-21").of_all(AS_OF) == (begin, begin + DAY)
    assert window.text == "from=2023-11-20T00:00:00Z to=2023-11-21 06:00:00"


def test_thirteen_months_are_the_most():
    since = date(2022, 1, 1)
    until = since + timedelta(MOST_DAYS)
    asked(from_=str(since), to=str(until)).resolve(AS_OF, ZONES)
    asked(last=f"{MOST_DAYS}d").resolve(AS_OF, ZONES)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"from": "2023-11-21", "to": "2023-11-20"}, "ends before it begins"),
        ({"from": "2023-11-21", "to": "2023-11-21"}, "ends before it begins"),
        ({"from": "2023-11-21T10:00:00Z", "to": "2023-11-21"}, "ends before it begins"),
        ({"from": "2023-11-21T03:00:00Z", "to": "2023-11-21"}, "ends before it begins"),
        ({"to": "2023-11-21"}, "has a to and no from"),
        ({"from": "soon"}, "from='soon' is neither an instant nor a date"),
        ({"from": "2023-02-30"}, "neither an instant nor a date"),
        ({"from": "0000-01-01"}, "neither an instant nor a date"),
        ({"month": "0000-01"}, "month='0000-01' is no month"),
        ({"month": "2023-13"}, "is no month"),
        ({"month": "2023"}, "is no month"),
        ({"month": "2023-12"}, "month=2023-12 begins after as_of, 2023-11-28 18:13:22"),
        ({"month": "9999-12"}, "begins after as_of"),
        ({"last": "0d"}, "is no length of time"),
        ({"last": "-3d"}, "is no length of time"),
        ({"last": "3 months"}, "is no length of time"),
        ({"last": "999999w"}, "longer than 13 months"),
        ({"last": f"{MOST_DAYS + 1}d"}, "longer than 13 months"),
        ({"from": "0001-01-01"}, "longer than 13 months"),
        ({"from": "2022-01-01", "to": "2023-11-01"}, "longer than 13 months"),
        ({"from": "2023-01-01", "to": "9999-12-31"}, "longer than 13 months"),
        ({"from": "2023-11-28", "to": "2023-11-29"}, "to=2023-11-29 is after as_of"),
        ({"from": "2023-11-28", "to": "2023-11-28T18:13:23Z"}, "is after as_of"),
        ({"from": "2023-11-29"}, "from=2023-11-29 is not before as_of"),
        ({"from": "2023-11-01", "last": "3d"}, "from and last cannot be combined"),
        ({"month": "2023-11", "last": "3d"}, "month and last cannot be combined"),
    ],
)
def test_windows_that_cannot_be_are_refused_in_one_sentence(words: dict[str, str], sentence: str):
    with pytest.raises(BadRequest, match=sentence) as error:
        (parse_window(words) or LAST_WEEK).resolve(AS_OF, ZONES)
    assert error.value.message.count(". ") == 0
    assert error.value.hint
