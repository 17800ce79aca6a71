"""The public status page as HTML, and the badge as SVG. Pure: a status in, text out.

The page has one style sheet in itself, no script, no link and no picture from elsewhere.
"""

import base64
import hashlib
from html import escape

from restmon.charts import day_strip
from restmon.charts.colors import SEEN_ENOUGH
from restmon.core.formatting import Style, ago, elapsed, moment, share
from restmon.core.instants import MINUTE
from restmon.documents.public_status import BADGE_DAYS, DAYS, OpenOutage, PublicStatus
from restmon.documents.texts import count, percent

OLD = 180 * MINUTE
"""A status that is older than this is no status of now."""
GOOD, BAD, NEUTRAL = "#1D5C93", "#A8420C", "#5B6873"
"""White text can be read on each."""
NO_NAME = "A store without a name"
CSS = (
    """
:root {color-scheme: light dark; --ink: #1F2A33; --soft: #55626D; --line: #D8DEE3;
  --ground: #FFFFFF; --panel: #F4F6F8}
@media (prefers-color-scheme: dark) {
  :root {--ink: #E8EDF1; --soft: #A9B6C1; --line: #3A4650; --ground: #12181D; --panel: #1C242B}
}
* {box-sizing: border-box}
body {margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif}
main {max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 3rem}
h1 {font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere}
h2 {font-size: 1.1rem; margin: 2rem 0 0.6rem}
.now {color: #FFFFFF; border-radius: 0.5rem; padding: 0.9rem 1.1rem; font-size: 1.15rem;
  font-weight: 600}
.now small {display: block; font-size: 0.875rem; font-weight: 400}
.good {background: #1D5C93} .bad {background: #A8420C} .neutral {background: #5B6873}
ul {list-style: none; margin: 0; padding: 0}
.facts {display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.6rem;
  margin-top: 0.8rem}
.facts li {background: var(--panel); border-radius: 0.5rem; padding: 0.5rem 0.9rem}
.facts b {display: block; font-size: 1.25rem} .facts span {color: var(--soft); font-size: 0.875rem}
.down li {border-bottom: 1px solid var(--line); padding: 0.6rem 0; display: flex; gap: 0.2rem 1rem;
  flex-wrap: wrap; justify-content: space-between}
.down b {overflow-wrap: anywhere} .down span {color: var(--soft)}
footer {margin-top: 2.5rem; color: var(--soft); font-size: 0.875rem}
"""
    + day_strip.STYLE
)
_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The security policy of the page: its own style sheet and nothing else."""
SVG_POLICY = "default-src 'none'; frame-ancestors *; sandbox"


def write_page(status: PublicStatus, now: int, style: Style) -> str:
    """Return the page. ``now`` is the clock's instant."""
    kind, sentence = describe_now(status, now)
    parts = [
        f"<h1>{_text(status.name)}</h1>",
        f'<p class="now {kind}" role="status">{sentence}<small>{_checked(status, now)}</small></p>',
        _facts(status),
    ]
    if status.outages:
        parts.append("<h2>Offline now</h2>")
        rows = "".join(_outage(one, status, style) for one in status.outages)
        parts.append(f'<ul class="down">{rows}</ul>')
    if status.days is not None:
        parts.append(f"<h2>The last {count(len(status.days), 'day')}</h2>")
        through = "" if status.as_of is None else moment(status.as_of, status.zone, style)
        parts.append(day_strip.write_strip(status.days, "", style=style, through=through))
        parts.append(day_strip.write_key())
    parts.append(
        "<footer>Times are in business hours of each store. Coverage is how much of them was near "
        "a check.</footer>"
    )
    return _document(f"Status of {_text(status.name)}", "".join(parts))


def write_missing() -> str:
    """Return the page for an address that has none."""
    return _document(
        "No status page", "<h1>No status page</h1><p>There is no status page at this address.</p>"
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{title}</title><style>{CSS}</style></head><body><main>{body}</main></body></html>"
    )


def describe_now(status: PublicStatus, now: int) -> tuple[str, str]:
    """Return (good, bad or neutral; a sentence) of the status now."""
    if status.as_of is None or status.state == "no data":
        return "neutral", "No current data"
    if now - status.as_of > OLD:
        return "neutral", "No current data: the checks have stopped"
    up, down = status.counts.get("up", 0), status.down
    if status.state == "closed":
        return "neutral", "The store is closed now" if status.stores == 1 else "All closed now"
    if status.state == "up":
        if up == 1:
            return (
                "good",
                "The store is online" if status.stores == 1 else "The open store is online",
            )
        return "good", f"All {up:,} open stores are online"
    if status.state == "all down":
        if down == 1:
            return (
                "bad",
                "The store is offline" if status.stores == 1 else "The open store is offline",
            )
        return "bad", f"All {down:,} open stores are offline"
    verb = "is" if down == 1 else "are"
    return "bad", f"{down:,} of {up + down:,} open stores {verb} offline"


def _checked(status: PublicStatus, now: int) -> str:
    return (
        "" if status.as_of is None else f"Last checked {ago(status.as_of, max(now, status.as_of))}"
    )


def _facts(status: PublicStatus) -> str:
    facts = [
        (_uptime(status, BADGE_DAYS), f"uptime, {BADGE_DAYS} days{_seen(status, BADGE_DAYS)}"),
        (_uptime(status, DAYS), f"uptime, {DAYS} days{_seen(status, DAYS)}"),
        (f"{status.stores:,}", "store" if status.stores == 1 else "stores"),
    ]
    for name in ("closed", "not reporting", "no data", "hours unreadable"):
        if number := status.counts.get(name, 0):
            facts.append((f"{number:,}", name))
    items = "".join(f"<li><b>{escape(value)}</b><span>{name}</span></li>" for value, name in facts)
    return f'<ul class="facts">{items}</ul>'


def _uptime(status: PublicStatus, days: int) -> str:
    return percent(*status.uptime(days)) if status.coverage(days) else "–"


def _seen(status: PublicStatus, days: int) -> str:
    """The coverage where it is too little to rely on."""
    coverage = status.coverage(days)
    if coverage >= SEEN_ENOUGH:
        return ""
    return f", {share(coverage, 1)} of it seen" if coverage else ", not seen"


def _outage(one: OpenOutage, status: PublicStatus, style: Style) -> str:
    name = _text(one.name or NO_NAME)
    if one.store_id is not None:
        name += f" <span>{_text(one.store_id)}</span>"
    since = "for more than a week"
    if one.since is not None and status.as_of is not None:
        length = elapsed(one.since, status.as_of) or "less than a minute"
        since = f"since {moment(one.since, status.zone, style)}, {length}"
    return f"<li><b>{name}</b><span>{_text(since)}</span></li>"


def _text(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return escape(shown.encode("utf-8", "replace").decode())


def write_badge(status: PublicStatus, now: int, show: str) -> str:
    """Return a badge as SVG: the name of the group, and its uptime of 30 days or its status now
    (``show`` is uptime or now)."""
    if show == "now":
        kind, _ = describe_now(status, now)
        texts = {"good": "online", "bad": f"{status.down:,} offline", "neutral": "no data"}
        value = "closed" if kind == "neutral" and status.state == "closed" else texts[kind]
        color = {"good": GOOD, "bad": BAD, "neutral": NEUTRAL}[kind]
    else:
        up, whole = status.uptime(BADGE_DAYS)
        value = percent(up, whole)
        good = GOOD if up * 100 >= whole * 95 else BAD
        color = good if status.coverage(BADGE_DAYS) >= SEEN_ENOUGH else NEUTRAL
        value = f"{value} up" if whole and status.coverage(BADGE_DAYS) else "no data"
    name = status.name if len(status.name) <= 40 else f"{status.name[:39]}…"
    left, right = _width(name), _width(value)
    width, title = left + right, f"{_text(name)}: {_text(value)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#3A4650"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        '<g fill="#FFFFFF" text-anchor="middle" font-size="11" '
        'font-family="Verdana, DejaVu Sans, Geneva, sans-serif">'
        f'<text x="{left / 2}" y="14" textLength="{left - 12}" lengthAdjust="spacingAndGlyphs">'
        f"{_text(name)}</text>"
        f'<text x="{left + right / 2}" y="14" textLength="{right - 12}" '
        f'lengthAdjust="spacingAndGlyphs">{_text(value)}</text></g></svg>'
    )


def _width(text: str) -> int:
    """The width of a part of the badge: about as wide as its text in Verdana, and its edges."""
    wide = sum(
        11.0 if ord(letter) > 0x2E80 else 4.2 if letter in " .,:;'|ijl" else 7.1 for letter in text
    )
    return round(wide) + 12
