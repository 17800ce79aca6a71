"""The demo files: valid, repeatable, and with every sort of trouble that restaurants have."""

import csv
import gzip
import os
import re
import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from restmon.demo.generator import END, DemoFiles, DemoPlan, generate

STORES, DAYS = 400, 8
BEGIN = END - timedelta(days=DAYS)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6} UTC")
WALL = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d")


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def contents(files: DemoFiles) -> list[bytes]:
    return [path.read_bytes() for path in (files.polls, files.business_hours, files.timezones)]


def instant(text: str) -> datetime:
    seconds, fraction = text.removesuffix(" UTC").split(".")
    whole = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    return whole + timedelta(microseconds=int(fraction.ljust(6, "0")))


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


class Demo:
    """What the files of one call say."""

    def __init__(self, files: DemoFiles) -> None:
        self.files = files
        self.poll_lines = lines(files.polls)[1:]
        self.polls = defaultdict(list)  # store -> [(instant, whether active)], by time
        for store, status, timestamp in self.poll_lines:
            self.polls[store].append((instant(timestamp), status == "active"))
        for polls in self.polls.values():
            polls.sort()
        self.hours = defaultdict(lambda: defaultdict(list))  # store -> day -> [(start, end)]
        for store, day, start, end in lines(files.business_hours)[1:]:
            self.hours[store][int(day)].append((start, end))
        self.zones = dict(lines(files.timezones)[1:])

    def stores_with_week_of(self, *spans: tuple[str, str]) -> list[str]:
        """Stores that have exactly these hours on every one of their days."""
        return [
            store
            for store, week in self.hours.items()
            if all(day == list(spans) for day in week.values())
        ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(generate(tmp_path_factory.mktemp("demo"), DemoPlan(stores=STORES, days=DAYS)))


# Repeatable


def test_same_arguments_write_the_same_bytes(tmp_path: Path, demo: Demo):
    again = generate(tmp_path / "again", DemoPlan(stores=STORES, days=DAYS))
    assert contents(again) == contents(demo.files)


def test_another_seed_is_another_week(tmp_path: Path):
    one, other = (generate(tmp_path / str(n), DemoPlan(stores=20, days=2, seed=n)) for n in (1, 2))
    assert all(a != b for a, b in zip(contents(one), contents(other), strict=True))


def test_writing_again_replaces_the_files(tmp_path: Path):
    generate(tmp_path, DemoPlan(stores=20, days=2))
    files = generate(tmp_path, DemoPlan(stores=3, days=1))
    assert contents(files) == contents(generate(tmp_path / "fresh", DemoPlan(stores=3, days=1)))
    names = {"polls.csv", "business_hours.csv", "timezones.csv", "fresh"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_failure_leaves_the_old_file(tmp_path: Path):
    before = contents(generate(tmp_path, DemoPlan(stores=5, days=1)))

    def fail(done: int, in_all: int) -> None:
        raise RuntimeError(f"{done} of {in_all}")

    with pytest.raises(RuntimeError, match="1 of 3"):
        generate(tmp_path, DemoPlan(stores=5, days=3), progress=fail)
    assert (tmp_path / "polls.csv").read_bytes() == before[0]
    assert len(list(tmp_path.iterdir())) == 3


def test_end_may_be_in_any_zone(tmp_path: Path):
    ends = [
        datetime(2026, 3, 8, 12, 30, 5),
        datetime(2026, 3, 8, 12, 30, 5, tzinfo=UTC),
        datetime(2026, 3, 8, 7, 30, 5, tzinfo=timezone(-5 * HOUR)),
    ]
    written = [
        generate(tmp_path / str(n), DemoPlan(stores=40, seed=2, end=end))
        for n, end in enumerate(ends)
    ]
    assert contents(written[0]) == contents(written[1]) == contents(written[2])
    moments = [moment for polls in Demo(written[0]).polls.values() for moment, _ in polls]
    assert ends[1] - 8 * DAY <= min(moments) < ends[1] - 7 * DAY
    assert ends[1] - 2 * HOUR < max(moments) < ends[1]


# Valid


def test_headers_are_those_of_the_real_feed(demo: Demo):
    assert lines(demo.files.polls)[0] == ["store_id", "status", "timestamp_utc"]
    assert lines(demo.files.timezones)[0] == ["store_id", "timezone_str"]
    hours = ["store_id", "day", "start_time_local", "end_time_local"]
    assert lines(demo.files.business_hours)[0] == hours


def test_every_line_is_valid(demo: Demo):
    for store, status, timestamp in demo.poll_lines:
        assert STORE_ID.fullmatch(store)
        assert status in {"active", "inactive"}
        assert TIMESTAMP.fullmatch(timestamp)
        assert BEGIN <= instant(timestamp) < END
    for store, day, start, end in lines(demo.files.business_hours)[1:]:
        assert STORE_ID.fullmatch(store)
        assert day in set("0123456")
        assert WALL.fullmatch(start)
        assert WALL.fullmatch(end)
    for store, zone in demo.zones.items():
        assert STORE_ID.fullmatch(store)
        assert ZoneInfo(zone)


def test_nothing_is_said_twice(demo: Demo):
    for path in (demo.files.polls, demo.files.business_hours, demo.files.timezones):
        written = lines(path)
        assert len({tuple(line) for line in written}) == len(written)
    polls = {(store, timestamp) for store, _, timestamp in demo.poll_lines}
    assert len(polls) == len(demo.poll_lines)


def test_polls_come_in_the_order_of_days_but_not_of_stores_or_times(demo: Demo):
    moments = [instant(timestamp) for _, _, timestamp in demo.poll_lines]
    days = [(moment - BEGIN) // DAY for moment in moments]
    assert days == sorted(days)
    assert moments != sorted(moments)
    same_store = sum(a[0] == b[0] for a, b in pairwise(demo.poll_lines))
    assert same_store < len(demo.poll_lines) / 50
    same_hour = sum(hour_of(a) == hour_of(b) for a, b in pairwise(moments))
    assert same_hour < len(moments) / 5


# True to life: stores


def test_zones_are_spread_over_the_united_states(demo: Demo):
    count = Counter(demo.zones.values())
    assert count.most_common(1)[0][0] == "America/New_York"
    rare = {"America/Boise", "America/Anchorage", "Pacific/Honolulu", "America/Phoenix"}
    assert rare | {"America/Detroit", "America/Indiana/Indianapolis"} <= set(count)
    assert STORES - len(demo.zones) == pytest.approx(STORES * 0.02, abs=1)


def test_some_stores_have_no_hours(demo: Demo):
    assert STORES - len(demo.hours) == pytest.approx(STORES * 0.05, abs=1)


def test_hours_have_every_form_of_the_feed(demo: Demo):
    assert demo.stores_with_week_of(("00:00:00", "23:59:00"))
    assert demo.stores_with_week_of(("00:00:00", "23:59:59"))
    assert demo.stores_with_week_of(("11:00:00", "21:00:00"))
    assert demo.stores_with_week_of(("11:30:00", "14:30:00"), ("17:00:00", "21:30:00"))
    assert demo.stores_with_week_of(("18:00:00", "02:00:00"))
    assert demo.stores_with_week_of(("00:00:00", "02:00:00"), ("17:00:00", "23:59:59"))


def test_some_stores_are_closed_on_mondays(demo: Demo):
    closed = [store for store, week in demo.hours.items() if set(week) == {1, 2, 3, 4, 5, 6}]
    assert 0.05 * STORES < len(closed) < 0.2 * STORES
    # One that is open past midnight still has the end of Sunday's night on Monday.
    nights = [week for week in demo.hours.values() if week[0] == [("00:00:00", "02:00:00")]]
    assert nights
    assert all(week[1] == [("17:00:00", "23:59:59")] for week in nights)


# True to life: polls


def test_a_store_has_about_130_polls_in_eight_days(demo: Demo):
    assert len(demo.poll_lines) / STORES == pytest.approx(130, rel=0.08)
    assert statistics.median(map(len, demo.polls.values())) == pytest.approx(130, rel=0.08)


def test_a_store_is_polled_in_its_own_minutes_of_the_hour(demo: Demo):
    minutes = {s: [t.minute + t.second / 60 for t, _ in p] for s, p in demo.polls.items()}
    assert all(max(past) - min(past) <= 3.1 for past in minutes.values())
    assert len({round(min(past)) for past in minutes.values()}) > 20
    assert statistics.median(map(min, minutes.values())) < 10


def test_one_store_in_a_hundred_is_never_polled(demo: Demo):
    assert STORES - len(demo.polls) == pytest.approx(STORES * 0.01, abs=1)


def test_the_poller_misses_hours_and_a_day_but_none_lately(demo: Demo):
    seen = sorted({hour_of(t) for polls in demo.polls.values() for t, _ in polls})
    steps = [b - a for a, b in pairwise(seen)]
    assert max(steps) >= 20 * HOUR
    assert Counter(steps)[2 * HOUR] >= 2
    assert seen[-24:] == [END - n * HOUR for n in range(24, 0, -1)]


def test_a_store_is_dead_since_the_second_day(demo: Demo):
    dead = [store for store, polls in demo.polls.items() if polls[-1][0] < BEGIN + 2 * DAY]
    assert len(dead) == 1
    assert demo.polls[dead[0]][-1][0] > BEGIN + DAY / 2


def test_large_demos_have_two_dead_stores(tmp_path: Path):
    polls = lines(generate(tmp_path, DemoPlan(stores=1000, days=4)).polls)[1:]
    last: dict[str, str] = defaultdict(str)
    for store, _, timestamp in polls:
        last[store] = max(last[store], timestamp)
    assert sum(t < f"{END - 2 * DAY:%Y-%m-%d %H}" for t in last.values()) == 2


def test_some_stores_are_not_polled_for_a_day_or_two(demo: Demo):
    hours = sorted({hour_of(t) for polls in demo.polls.values() for t, _ in polls})
    rank = {hour: n for n, hour in enumerate(hours)}
    gaps = {
        store: max(rank[hour_of(b)] - rank[hour_of(a)] for (a, _), (b, _) in pairwise(polls))
        for store, polls in demo.polls.items()
    }
    assert 0.01 * STORES <= sum(gap > 12 for gap in gaps.values()) <= 0.03 * STORES
    assert sum(gap > 1 for gap in gaps.values()) > 0.9 * STORES  # single polls are lost everywhere


def test_most_stores_are_good_some_bad_and_a_few_terrible(tmp_path: Path):
    hours = tmp_path / "always.csv"
    rows = [f"a,{day},00:00:00,23:59:59\n" for day in range(7)]
    hours.write_text("store_id,day,start_time_local,end_time_local\n" + "".join(rows))
    demo = Demo(generate(tmp_path, DemoPlan(stores=STORES, hours_from=hours)))
    down = [statistics.mean(not up for _, up in polls) for polls in demo.polls.values()]
    assert sum(share < 0.02 for share in down) > 0.7 * STORES
    assert 0.1 * STORES < sum(share > 0.02 for share in down) < 0.3 * STORES
    assert 0.02 * STORES < sum(share > 0.2 for share in down) < 0.05 * STORES


def test_outages_are_from_minutes_to_days_long(demo: Demo):
    lengths = []
    for polls in demo.polls.values():
        for up, run in groupby(polls, key=lambda poll: poll[1]):
            moments = [moment for moment, _ in run]
            if not up:
                lengths.append(moments[-1] - moments[0])
    assert sum(length == timedelta() for length in lengths) > 100  # seen by a single poll
    assert sum(HOUR < length < 12 * HOUR for length in lengths) > 100
    assert any(length > 18 * HOUR for length in lengths)


def test_a_chain_goes_down_in_one_evening(demo: Demo):
    down: dict[datetime, list[bool]] = defaultdict(list)
    for polls in demo.polls.values():
        for moment, up in polls:
            down[hour_of(moment)].append(not up)
    share = {hour: statistics.mean(answers) for hour, answers in down.items() if len(answers) > 100}
    usual = statistics.median(share.values())
    worst = max(share, key=lambda hour: share[hour])
    assert share[worst] > usual + 0.05
    assert worst.hour in {23, 0, 1, 2}
    assert worst > END - 4 * DAY
    assert abs(share[worst - 6 * HOUR] - usual) < 0.04


def test_stores_answer_alike_when_closed_but_for_a_few_that_switch_off(demo: Demo):
    off, alike = 0, 0
    for store in demo.stores_with_week_of(("11:00:00", "21:00:00")):
        zone = ZoneInfo(demo.zones.get(store, "America/Chicago"))
        open_now: list[bool] = []
        closed_now: list[bool] = []
        for moment, up in demo.polls.get(store, []):
            local = moment.astimezone(zone)
            if local.weekday() in demo.hours[store] and 11 <= local.hour < 21:
                open_now.append(up)
            else:
                closed_now.append(up)
        off += not any(closed_now) and statistics.mean(open_now or [0]) > 0.5
        alike += statistics.mean(closed_now or [0]) > 0.5
    assert 1 <= off < alike / 3


@pytest.mark.parametrize(("stores", "days"), [(1, 1), (1, 8), (9, 3), (10, 1), (10, 4), (50, 8)])
def test_small_demos(tmp_path: Path, stores: int, days: int):
    demo = Demo(generate(tmp_path, DemoPlan(stores=stores, days=days)))
    assert demo.poll_lines
    assert len(demo.zones) >= stores - 1
    if stores >= 10:
        assert len(demo.polls) < stores
        assert {up for polls in demo.polls.values() for _, up in polls} == {True, False}
    else:
        assert len(demo.polls) == stores


def test_the_default_demo_has_a_bit_of_everything(tmp_path: Path):
    demo = Demo(generate(tmp_path))
    assert set(demo.polls) < {f"demo-{n:05d}" for n in range(1, 51)}
    assert len(demo.polls) == 49
    assert len(demo.zones) == 49
    assert 46 <= len(demo.hours) <= 48
    assert any(0 not in week for week in demo.hours.values())
    assert any(
        end < start for week in demo.hours.values() for d in week.values() for start, end in d
    )
    assert sum(polls[-1][0] < BEGIN + 2 * DAY for polls in demo.polls.values()) == 1


def test_progress_counts_the_days(tmp_path: Path):
    calls: list[tuple[int, int]] = []
    generate(
        tmp_path,
        DemoPlan(stores=5, days=3),
        progress=lambda done, in_all: calls.append((done, in_all)),
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]


# From files


HOURS = """store_id,dayOfWeek,start_time_local,end_time_local,note
20,0,09:00,17:30,x
100,6,17:00:00,23:59:59,
100,0,00:00:00,02:00:00,
demo-00001,3,10:00:00,24:00,
"""
ZONES = """timezone_str,store_id
America/Boise,20
Asia/Kolkata,7
US/Central,20
"""


@pytest.fixture
def given(tmp_path: Path) -> tuple[Path, Path]:
    hours, zones = tmp_path / "hours.csv", tmp_path / "zones.csv.gz"
    hours.write_text("\ufeff" + HOURS, encoding="utf-8")
    zones.write_bytes(gzip.compress(ZONES.encode()))
    return hours, zones


def test_stores_from_files_are_taken_in_the_order_of_their_ids(
    tmp_path: Path, given: tuple[Path, Path]
):
    files = generate(
        tmp_path, DemoPlan(stores=3, days=2, hours_from=given[0], timezones_from=given[1])
    )
    demo = Demo(files)
    assert set(demo.polls) == {"100", "20", "7"}
    assert lines(files.business_hours)[1:] == [
        ["100", "6", "17:00:00", "23:59:59"],
        ["100", "0", "00:00:00", "02:00:00"],
        ["20", "0", "09:00", "17:30"],
    ]
    assert demo.zones == {"20": "US/Central", "7": "Asia/Kolkata"}


def test_too_few_stores_are_recycled_under_new_ids(tmp_path: Path, given: tuple[Path, Path]):
    demo = Demo(
        generate(tmp_path, DemoPlan(stores=9, days=2, hours_from=given[0], timezones_from=given[1]))
    )
    known = ["100", "20", "7", "demo-00001"]
    more = [f"demo-{n:05d}" for n in range(2, 7)]  # demo-00001 is taken
    assert set(demo.polls) == {*known, *more}
    for store, donor in zip(more, [*known, "100"], strict=True):
        assert demo.hours.get(store) == demo.hours.get(donor)
        assert demo.zones.get(store) == demo.zones.get(donor)


def test_what_is_not_given_is_made_up(tmp_path: Path, given: tuple[Path, Path]):
    with_hours = Demo(generate(tmp_path / "h", DemoPlan(stores=4, days=1, hours_from=given[0])))
    assert set(with_hours.hours) == {"100", "20", "demo-00001", "demo-00002"}
    assert all(zone.startswith(("America/", "Pacific/")) for zone in with_hours.zones.values())
    assert with_hours.zones
    with_zones = Demo(generate(tmp_path / "z", DemoPlan(stores=4, days=1, timezones_from=given[1])))
    assert with_zones.zones == {
        "20": "US/Central",
        "7": "Asia/Kolkata",
        "demo-00001": "US/Central",
        "demo-00002": "Asia/Kolkata",
    }
    assert with_zones.hours


def test_a_demo_can_be_made_from_a_demo(tmp_path: Path):
    first = generate(tmp_path / "a", DemoPlan(stores=20, days=1))
    given = {"hours_from": first.business_hours, "timezones_from": first.timezones}
    files = generate(tmp_path / "b", DemoPlan(stores=30, days=1, **given))
    made = {line[0] for path in (files.business_hours, files.timezones) for line in lines(path)[1:]}
    assert made <= {f"demo-{n:05d}" for n in range(1, 31)}
    assert files.timezones.read_bytes().startswith(first.timezones.read_bytes())


def test_stores_of_the_real_files(tmp_path: Path):
    beside = Path(__file__).parents[3] / "shared" / "data"
    real = Path(os.environ.get("RESTMON_REAL_DATA", beside))
    hours, zones = real / "menu_hours.csv.gz", real / "timezones.csv.gz"
    if not (hours.is_file() and zones.is_file()):
        pytest.skip("no real data here")
    demo = Demo(
        generate(tmp_path, DemoPlan(stores=300, days=1, hours_from=hours, timezones_from=zones))
    )
    stores = set(demo.hours) | set(demo.zones)
    assert len(stores) == 300
    assert all(store.isdigit() for store in stores)
    assert set(demo.polls) <= stores


# Refused


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"stores": 0}, "stores must be at least 1, not 0"),
        ({"days": 0}, "days must be at least 1, not 0"),
        ({"days": -3}, "days must be at least 1, not -3"),
        ({"seed": -1}, "seed must be 0 or more, not -1"),
        ({"hours_from": Path("nowhere.csv")}, r"There is no file nowhere\.csv"),
        ({"timezones_from": Path("nowhere.csv.gz")}, r"There is no file nowhere\.csv\.gz"),
    ],
)
def test_arguments_that_cannot_be_used(tmp_path: Path, arguments: dict, reason: str):
    with pytest.raises(ValueError, match=reason) as refused:
        generate(tmp_path / "demo", DemoPlan(**arguments))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("hours.csv", b"", "has no column store_id"),
        ("hours.csv", b"store_id,start_time_local,end_time_local\n", "has no column day"),
        ("hours.csv", b"store_id,day,start_time_local,end_time_local\n", "There is no store in"),
        ("hours.csv", b"store_id,day,start_time_local,end_time_local\na,7,1:00,2:00\n", "not 0 to"),
        ("hours.csv", b"store_id,day,start_time_local,end_time_local\na,1,noon,2:00\n", "'noon'"),
        ("hours.csv", b"\xff\xfe\x00", "cannot be read as CSV"),
        ("hours.csv.gz", b"store_id,day\n", "cannot be read as CSV"),
        ("zones.csv", b"store_id,timezone_str\na,Mars/Olympus\n", "unknown time zone"),
        ("zones.csv", b"store_id,timezone_str\na,\n", "unknown time zone"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, reason: str):
    path = tmp_path / name
    path.write_bytes(content)
    argument = "hours_from" if name.startswith("hours") else "timezones_from"
    with pytest.raises(ValueError, match=reason) as refused:
        generate(tmp_path / "demo", DemoPlan(**{argument: path}))
    assert str(path) in str(refused.value)
    assert not (tmp_path / "demo").exists()
