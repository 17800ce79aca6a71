"""Numbers and names as a document writes them."""

from restmon.core.formatting import Style, clock, duration, moment
from restmon.core.instants import HOUR, MINUTE, as_datetime
from restmon.core.timeline import NEAREST
from restmon.documents.finding import Finding, Totals

LONGEST_NAME = 90
LONGEST_WORD = 14
BREAK = "\u200b"
"""A place where a line may break, without a hyphen."""
DIGIT_SIZE = 10_000


def round_half_even(numerator: int, denominator: int) -> int:
    """Return a quotient, rounded half to even. Sums of many stores exceed what arrays can hold."""
    quotient, rest = divmod(numerator, denominator)
    up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return quotient + up


def percent(part: int, whole: int) -> str:
    """Return a share with two decimals. It is 100% or 0% only if that is exact, and "–" of
    nothing."""
    if not whole:
        return "–"
    if part in (0, whole):
        return "100%" if part else "0%"
    hundredths = round_half_even(DIGIT_SIZE * part, whole)
    if hundredths in (0, DIGIT_SIZE):
        return "< 0.01%" if not hundredths else "> 99.99%"
    return f"{hundredths / 100:.2f}%"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as ``1 store`` or ``1,200 stores``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def label(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a name that fits into a table: cut if it is too long, with places to break in long
    words, and without control characters."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    if len(shown) > longest:
        shown = f"{shown[: longest - 1]}…"
    return " ".join(_breakable(word) for word in shown.split(" "))


def _breakable(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    return BREAK.join(word[n : n + LONGEST_WORD] for n in range(0, len(word), LONGEST_WORD))


def plain(number: float | None, unit: str = "") -> str:
    """Return a number with two decimals as the details have it; "–" for None."""
    return "–" if number is None else f"{number:,.2f}{unit}"


def compare_uptime(now: Totals, before: Totals, name: str) -> str:
    """Return how the uptime changed against the period before, with that period's own."""
    if not before.was_seen:
        return f"no data for {name}"
    was = percent(before.up, before.up + before.down)
    if not now.has_data:
        return f"{name}: {was}"
    change = 100 * now.up / (now.up + now.down) - 100 * before.up / (before.up + before.down)
    points = round(change, 2)
    if not points:
        return f"no change from {name} ({was})"
    word = "up" if points > 0 else "down"
    return f"{word} {abs(points):.2f} points from {name} ({was})"


def compare_down(now: Totals, before: Totals, name: str) -> str:
    """Return how the downtime changed against the period before."""
    if not before.was_seen:
        return f"no data for {name}"
    more = now.down - before.down
    # What is less than a minute is no difference to people.
    if abs(more) < 2 * HOUR // 60:
        return f"the same as {name}"
    return f"{duration(abs(more))} {'more' if more > 0 else 'less'} than {name}"


def method_text(method: str) -> str:
    """Return how the time between two polls is divided."""
    if method == NEAREST:
        return "between two polls, the status of the nearer one (nearest)"
    return "between two polls, the status of the earlier one (previous)"


def assumptions(found: Finding) -> str:
    """Return what was assumed of the stores, as one sentence."""
    stores = found.details.stores
    parts = []
    if zones := int((~stores.zone_given).sum()):
        parts.append(f"America/Chicago time for {count(zones, 'store')} without a time zone")
    if hours := int(stores.schedule.hours_assumed.sum()):
        parts.append(f"open 24 hours for {count(hours, 'store')} without business hours")
    if unreadable := int(stores.schedule.hours_unreadable.sum()):
        parts.append(f"never open for {count(unreadable, 'store')} with unreadable hours")
    return f"Assumed: {'; '.join(parts)}." if parts else "Nothing was assumed of zones or hours."


def as_of_text(found: Finding, style: Style) -> str:
    """Return the instant of a finding on the clock of its zone."""
    return f"as of {moment(found.as_of, found.zone, style)}"


def short_moment(instant: int, zone: str, style: Style) -> str:
    """Return an instant such as ``Nov 14, 12:03 PM CST``; with the year if it is not this one."""
    local = as_datetime(instant, zone)
    year = "" if local.year == style.this_year else f", {local.year}"
    time = clock(instant // MINUTE * MINUTE, zone, style)
    return f"{local:%b} {local.day}{year}, {time} {local:%Z}"
