"""The report in Polars: the same numbers (SEMANTICS.md), from the same SQLite database to the CSV.

Written to be fast: polls come through ADBC in the order of the key and everything after that is
lazy. A store and an instant make one sorted integer, so that joins on time need no grouping; once
it is known which polls lie in business hours, only those at which a store's status changes are
looked at any further. Instants are int64 microseconds since the epoch, UTC; readings of the open
clock are half microseconds.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import adbc_driver_sqlite.dbapi as adbc
import polars as pl
from polars import DataFrame, Expr, LazyFrame, Series, col, lit, when

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WINDOWS = {"last_hour": HOUR, "last_day": DAY, "last_week": 7 * DAY}
UNITS = {"last_hour": MINUTE, "last_day": HOUR, "last_week": HOUR}
LOOKBACK = DAY
PERIOD_BITS = 38
KEY_BITS = 48
"""Bits of an instant in a key: nine years, of which one lies after as_of."""
LONG_AGO, SOON = 2000 * DAY, 300 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_database(path: str) -> str:
    """The report's CSV as of the newest poll, all stores."""
    with adbc.connect(path) as connection, connection.cursor() as cursor:

        def read(sql: str) -> LazyFrame:
            cursor.execute(sql)
            return DataFrame(cursor.fetch_arrow_table()).lazy()

        as_of = (
            read("SELECT max(timestamp) FROM poll WHERE period = (SELECT max(period) FROM poll)")
            .collect()
            .item()
        )
        begin = as_of - WINDOWS["last_week"]
        lo = begin - LOOKBACK
        periods = ",".join(str(n) for n in range(lo >> PERIOD_BITS, (as_of >> PERIOD_BITS) + 1))
        polls = read(
            "SELECT store.id AS store, timestamp AS time, status FROM store CROSS JOIN poll"
            f" ON poll.store_id = store.id AND period IN ({periods}) AND timestamp >= {lo}"
        )
        stores = read(
            "SELECT id AS store, store_id, coalesce(timezone, 'America/Chicago') AS timezone"
            " FROM store ORDER BY id"
        )
        hours = read(
            'SELECT store_id AS store, day_of_week AS day, start_time AS "from", end_time AS "to"'
            " FROM business_hours"
        )
        opened, seen = observed(stores.with_columns(lo=lit(lo)), hours, polls, as_of)

        # A store that was not seen in the day before the week: its polls before that, too.
        early = seen.lazy().filter(col("time") < begin)
        unseen = stores.join(early, on="store", how="anti").collect()["store"]
        ids = ",".join(map(str, unseen.to_list()))
        older = read(
            "SELECT store_id AS store, timestamp AS time, status FROM poll"
            f" WHERE period <= {lo >> PERIOD_BITS} AND timestamp < {lo} AND store_id IN ({ids})"
        ).collect()
    if len(older):
        since = older.lazy().group_by("store").agg(lo=col("time").min())
        polls = pl.concat([older.lazy(), polls.join(since, on="store", how="semi")])
        opened_too, seen_too = observed(
            stores.join(since, on="store"), hours, polls.sort("store", "time"), as_of
        )
        opened = replaced(opened, opened_too, "start")
        seen = replaced(seen, seen_too, "time")
    return report(stores, opened, seen, as_of)


def key(store: str, instant: str, as_of: int) -> Expr:
    """(store, instant) as one integer; instants out of reach are moved to its edges."""
    most = (1 << KEY_BITS) - 1
    origin = as_of + 400 * DAY - most
    return (col(store) * (1 << KEY_BITS) + (col(instant) - origin).clip(0, most)).alias("key")


def replaced(frame: DataFrame, by: DataFrame, instant: str) -> DataFrame:
    """The frame with the other one's rows in place of its own of the same stores."""
    others = frame.join(by, on="store", how="anti")
    return pl.concat([others, by]).sort("store", instant)


# --- Open intervals and the polls in them ---------------------------------------------------------


def observed(
    stores: LazyFrame, hours: LazyFrame, polls: LazyFrame, as_of: int
) -> tuple[DataFrame, DataFrame]:
    """The open intervals (store, start, end) from each store's ``lo`` on, merged, and the polls in
    them (store, time, status, start, end), both sorted by store, then time."""
    opened = intervals(stores, hours, as_of).collect()
    reached = opened.lazy().select(key("store", "start", as_of), "start", "end", owner="store")
    seen = (
        polls.with_columns(key("store", "time", as_of))
        .join_asof(reached, on="key")
        .filter(col("owner") == col("store"), col("time") < col("end"))
        .select("store", "time", "status", "start", "end")
    )
    return opened, seen.collect()


def intervals(stores: LazyFrame, hours: LazyFrame, as_of: int) -> LazyFrame:
    """The open intervals from each store's ``lo`` to as_of at least."""
    end = when(col("to") >= DAY - MINUTE).then(DAY).otherwise("to")
    end += when(end <= col("from")).then(DAY).otherwise(0)
    first = col("lo") // DAY - 3
    first += (col("day") - 3 - first) % 7
    walls = (
        hours.with_columns(to=end)
        .join(stores, on="store")
        .with_columns(date=pl.int_ranges(first, as_of // DAY + 2, 7))
        .explode("date")
        .drop_nulls("date")
        .select(
            "store",
            "timezone",
            start=col("date") * DAY + col("from"),
            end=col("date") * DAY + col("to"),
        )
    )
    zones = stores.select("timezone").unique().collect()["timezone"]
    parts = [
        walls.filter(timezone=zone).select(
            "store", start=in_utc("start", zone, "earliest"), end=in_utc("end", zone, "latest")
        )
        for zone in zones
    ]
    always = stores.join(hours, on="store", how="anti")
    parts.append(always.select("store", start=col("lo") - DAY, end=lit(as_of + DAY)))
    reached = key("store", "end", as_of).cum_max().shift(1, fill_value=-1)
    return (
        pl.concat(parts)
        .filter(col("start") < col("end"))
        .sort("store", "start")
        .with_columns(part=(key("store", "start", as_of) > reached).cum_sum())
        .group_by("part", maintain_order=True)
        .agg(col("store").first(), col("start").first(), col("end").max())
        .drop("part")
    )


def in_utc(name: str, zone: str, ambiguous: str) -> Expr:
    """A column of wall-clock times of one zone in UTC."""
    local = pl.from_epoch(col(name), "us").dt.replace_time_zone(
        zone,
        ambiguous=ambiguous,  # type: ignore[arg-type]
        non_existent="null",
    )
    return pl.map_batches(
        [col(name), local.dt.epoch("us")],
        lambda pair: with_jumps(pair[0], pair[1], zone),
        return_dtype=pl.Int64,
    )


def with_jumps(wall: Series, instant: Series, zone: str) -> Series:
    """The instants, those of wall-clock times that are skipped replaced by the jump's."""
    missing = instant.is_null()
    if not missing.any():
        return instant
    jumps = {w: jump(w, ZoneInfo(zone)) for w in wall.filter(missing).unique()}
    return instant.fill_null(wall.replace_strict(jumps, default=None, return_dtype=pl.Int64))


def jump(wall: int, zone: ZoneInfo) -> int:
    """The instant at which the clock jumps over a wall-clock time, found by bisection."""
    before, after = wall - 2 * DAY, wall + 2 * DAY
    while after - before > 1:
        middle = (before + after) // 2
        moment = (EPOCH + timedelta(microseconds=middle)).astimezone(zone)
        shown = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
        before, after = (middle, after) if shown < wall else (before, middle)
    return after


# --- From polls to time ---------------------------------------------------------------------------


def report(stores: LazyFrame, opened: DataFrame, seen: DataFrame, as_of: int) -> str:
    """The CSV of all stores."""
    clock = open_clock(opened, as_of)
    together = col("time") + col("time").shift(1)
    apart = together.clip(2 * col("end").shift(1), 2 * col("start"))
    halfway = when(col("start") == col("start").shift(1)).then(together).otherwise(apart)
    opens = col("store").ne_missing(col("store").shift(1))
    turns = opens | (col("status") != col("status").shift(1))
    runs = seen.lazy().with_columns(begin=halfway, opens=opens, turns=turns).filter("turns")
    runs = runs.with_columns(begin=when("opens").then(2 * (as_of - LONG_AGO)).otherwise("begin"))
    runs = reading(runs, "begin", clock, as_of)
    followed = col("store") == col("store").shift(-1)
    runs = runs.with_columns(end=when(followed).then(col("begin").shift(-1)))

    instants = {"now": as_of, "at_last": as_of + SOON}
    instants |= {window: as_of - length for window, length in WINDOWS.items()}
    edges = seen.lazy().select(col("store").unique(maintain_order=True))
    edges = edges.with_columns(lit(2 * instant).alias(name) for name, instant in instants.items())
    for name in instants:
        edges = reading(edges, name, clock, as_of)

    held = runs.join(edges, on="store").with_columns(col("end").fill_null(col("at_last")))
    stretch = [
        (pl.min_horizontal("end", "now") - pl.max_horizontal("begin", window)).clip(0)
        for window in WINDOWS
    ]
    up = held.group_by("store").agg(
        (part * col("status")).sum().alias(f"uptime_{window}")
        for window, part in zip(WINDOWS, stretch, strict=True)
    )
    both = edges.join(up, on="store").with_columns(
        (col("now") - col(window) - col(f"uptime_{window}")).alias(f"downtime_{window}")
        for window in WINDOWS
    )
    columns = [
        (f"{what}_{window}", window) for what in ("uptime", "downtime") for window in WINDOWS
    ]
    table = (
        stores.join(both, on="store", how="left")
        .sort("store_id")
        .select("store_id", *(as_text(name, UNITS[window]) for name, window in columns))
    )
    return table.collect().write_csv()


def open_clock(opened: DataFrame, as_of: int) -> LazyFrame:
    """The intervals with the reading (``total``) at the start of each of a clock that runs through
    the open time of all stores, one after the other."""
    length = 2 * (col("end") - col("start"))
    return opened.lazy().select(
        key("store", "start", as_of),
        owner="store",
        opened="start",
        length=length,
        total=length.cum_sum() - length,
    )


def reading(rows: LazyFrame, name: str, clock: LazyFrame, as_of: int) -> LazyFrame:
    """The rows, sorted by store and then ``name``, with that column of instants in half
    microseconds replaced by what the open clock shows at them."""
    inside = (col(name) - 2 * col("opened")).clip(0, col("length"))
    inside = when(col("owner") == col("store")).then(inside).otherwise("length")
    return (
        rows.with_columns(instant=col(name) // 2)
        .with_columns(key("store", "instant", as_of))
        .join_asof(clock, on="key")
        .with_columns((col("total") + inside).fill_null(0).alias(name))
        .drop("instant", "key", "owner", "opened", "length", "total")
    )


def as_text(name: str, unit: int) -> Expr:
    """Half microseconds in units, two decimals, rounded half to even."""
    exact, divisor = col(name).fill_null(0), unit // 50
    whole, rest = exact // divisor, exact % divisor
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (whole % 2 == 1))
    hundredths = whole + up.cast(pl.Int64)
    cents = (hundredths % 100).cast(pl.String).str.zfill(2)
    return pl.concat_str([(hundredths // 100).cast(pl.String), lit("."), cents]).alias(name)
