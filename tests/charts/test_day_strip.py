"""Strips of days: what each bar says in words, and that the HTML says the same."""

from html.parser import HTMLParser

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from restmon.charts import day_strip
from restmon.charts.day_strip import Days
from restmon.core.instants import HOUR, MINUTE

H, M = 2 * HOUR, 2 * MINUTE
NOV_17 = 20_409  # 2025-11-17, a Monday


def days(*rows: tuple[int, int, int, int]) -> Days:
    """Days of (open, up, down, covered), half microseconds."""
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return Days(NOV_17 + np.arange(len(rows)), *columns)


EXAMPLE = days(
    (0, 0, 0, 0),
    (10 * H, 10 * H, 0, 0),
    (10 * H, 10 * H, 0, 10 * H),
    (10 * H, 9 * H + 40 * M, 20 * M, 10 * H),
    (10 * H, 9 * H, H, 5 * H),
    (10 * H, 6 * H + 50 * M, 3 * H + 10 * M, 9 * H + 6 * M),
)


class Reader(HTMLParser):
    """The texts and the bars of a strip."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.bars: list[tuple[str, str]] = []
        self.listed: list[str] = []
        self.labels: list[str] = []
        self._in_list = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("title"):
            self.bars.append((str(found["class"]), str(found["title"])))
        if found.get("aria-label"):
            self.labels.append(str(found["aria-label"]))
        self._in_list = tag == "li"

    def handle_data(self, data: str) -> None:
        if self._in_list:
            self.listed.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_list = False


def test_each_day_is_said_in_words():
    assert day_strip.describe_days(EXAMPLE, through="3 PM") == [
        "Mon, Nov 17, 2025: closed",
        "Tue, Nov 18, 2025: no data, none of the open time was seen",
        "Wed, Nov 19, 2025: 100% up, no downtime, 100% of open time was seen",
        "Thu, Nov 20, 2025: 96.7% up, 20 min down, 100% of open time was seen",
        "Fri, Nov 21, 2025: 90.0% up, 1 h 00 min down, 50.0% of open time was seen",
        "Sat, Nov 22, 2025: 68.3% up, 3 h 10 min down, 91.0% of open time was seen (through 3 PM)",
    ]


def test_a_strip_has_a_bar_and_a_line_a_day():
    found = Reader(day_strip.write_strip(EXAMPLE, "A & B", "/stores?group=A", through="3 PM"))
    texts = day_strip.describe_days(EXAMPLE, through="3 PM")
    assert [text for _, text in found.bars] == texts
    assert found.listed == texts[::-1]
    assert [name for name, _ in found.bars] == [
        *("closed", "unseen", "up", "d5", "d8 pale", "d10"),
    ]
    assert found.labels == [
        "A & B: 6 days, Mon, Nov 17, 2025 to Sat, Nov 22, 2025: 91.0% up, 3 days with downtime, "
        "1 day of which less than 80% was seen, 1 day without data"
    ]


def test_names_are_text():
    html = day_strip.write_strip(EXAMPLE, "<b onclick=x>", '/stores?group="x"')
    assert "<b onclick" not in html
    assert 'group="x"' not in html


numbers = st.integers(0, 24 * H)


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=40))
def test_any_days_can_be_drawn(rows: list[tuple[int, int, int]]):
    found = days(*((up + down, up, down, min(seen, up + down)) for up, down, seen in rows))
    kind, pale = day_strip.find_kinds(found)
    assert len(Reader(day_strip.write_strip(found, "x")).bars) == len(rows)
    for n, (up, down, seen) in enumerate(rows):
        assert (kind[n] == day_strip.CLOSED) == (up + down == 0)
        assert (kind[n] > day_strip.NO_DOWNTIME) == (down > 0 and seen > 0)
        assert not pale[n] or seen < 0.8 * (up + down)
    picture = day_strip.write_small_strip(found, slots=50)
    assert picture.count("<i") == 50
