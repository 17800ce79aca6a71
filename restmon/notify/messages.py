"""The words of alerts: subject and body of what `decide` says, for one channel."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from urllib.parse import quote

import numpy as np

from restmon.core import formatting, status_now
from restmon.core.formatting import clock, duration, moment
from restmon.core.incidents import QUARTER
from restmon.core.instants import MINUTE, as_datetime
from restmon.core.targets import MISSED
from restmon.notify import decide
from restmon.notify.alert_facts import Watched
from restmon.notify.conditions import FEED, INCIDENT, NOT_REPORTING, TARGET
from restmon.notify.decide import BUNDLE, Key, Message
from restmon.notify.texts import clean_name
from restmon.reporting.feed import read_feed
from restmon.reporting.outage_list import OutageArrays
from restmon.reporting.style import read_style
from restmon.settings import get_settings

MOST_LISTED = 10


@dataclass(frozen=True)
class Text:
    """A subject and the lines of a body."""

    subject: str
    lines: list[str]


class Writer:
    """Writes what is to be said of what a rule watches. ``zone`` is the reader's, "" if unknown.
    ``ended`` has the last outage of each store (row id) that is back up."""

    def __init__(self, watched: Watched, ended: Mapping[int, OutageArrays], zone: str = "") -> None:
        self.ended = ended
        self.watched = watched
        self.fleet = watched.fleet
        self.style = read_style()
        self.zone = zone
        self.site = get_settings().link_url

    def write(self, message: Message) -> Text:
        """The text of a message."""
        if self.watched.rule.condition == FEED:
            return self._write_feed(message)
        if self.watched.rule.condition == INCIDENT or message.kind == decide.INCIDENT_STARTED:
            return self._write_incident(message)
        if message.kind == decide.BUNDLE_OVER:
            return self._write_bundle_over(message)
        if self.watched.rule.condition == TARGET:
            return self._write_targets(message)
        if message.kind in {decide.BUNDLE_STARTED, decide.BUNDLE_REMINDER}:
            return self._write_many(message)
        return self._write_store(message)

    # One store

    def _write_store(self, message: Message) -> Text:
        row = message.keys[0][0]
        name = self.name(row)
        if self.watched.rule.condition == NOT_REPORTING:
            return self._write_silence(message, row, name)
        if message.kind == decide.OVER:
            return self._write_back_up(row, name)
        if message.kind == decide.NO_LONGER_FLAPPING:
            said = "It has been up for 2 open hours. Alerts about it are on again."
            return Text(f"{name} is steady again", [said, *self._store_link(row)])
        since, lasted = self._since(row), self._lasted(row)
        text = f"since {since} ({duration(lasted)})"
        subject = {
            decide.REMINDER: f"Reminder: {name} is still down {text}",
            decide.FLAPPING: f"{name} is flapping: down for the third time in 24 hours",
        }.get(message.kind, f"{name} is down {text}")
        lines = [f"Store: {self.label(row)}", *self._outage_lines(row)]
        if message.kind == decide.FLAPPING:
            lines.append(
                "It goes up and down. You get no more messages about it until it has been up for "
                "2 open hours."
            )
        return Text(subject, [*lines, *self._store_link(row)])

    def _outage_lines(self, row: int) -> list[str]:
        n = self.watched.outage.get(row)
        if n is None:
            return []
        found = self.watched.attention
        zone = self._zone_of(row)
        cause = clean_name(str(found.cause[n])) if found.cause[n] is not None else "not known"
        lines = [
            f"Down since: {moment(int(found.since[n]), zone, self.style)}, "
            f"for {duration(int(found.down_for[n]))} of business hours",
            f"Reason: {cause}",
        ]
        if np.isfinite(found.lost[n]):
            lines.append(f"Estimated loss so far: {self._money(float(found.lost[n]))}")
        return lines

    def _write_back_up(self, row: int, name: str) -> Text:
        found = self.ended.get(row)
        if found is None:
            return Text(f"{name} is back up", [f"Store: {self.label(row)}", *self._store_link(row)])
        zone = self._zone_of(row)
        lasted = duration(int(found.open_time[0]))
        lines = [
            f"Store: {self.label(row)}",
            f"Down from {moment(int(found.start[0]), zone, self.style)} to "
            f"{moment(int(found.end[0]), zone, self.style)}, for {lasted} of business hours",
        ]
        if found.cause[0] is not None:
            lines.append(f"Reason: {clean_name(str(found.cause[0]))}")
        if np.isfinite(found.lost[0]):
            lines.append(f"Estimated loss: {self._money(float(found.lost[0]))}")
        return Text(f"{name} is back up after {lasted}", [*lines, *self._store_link(row)])

    def _write_silence(self, message: Message, row: int, name: str) -> Text:
        last = int(self.fleet.last_poll[self.watched.place[row]])
        said = f"last poll {moment(last, self._zone_of(row), self.style)}"
        lines = [f"Store: {self.label(row)}", said.capitalize(), *self._store_link(row)]
        subject = {
            decide.OVER: f"{name} reports again",
            decide.NO_LONGER_FLAPPING: f"{name} reports steadily again",
            decide.REMINDER: f"Reminder: {name} is still not reporting; {said}",
            decide.FLAPPING: f"{name} stopped reporting for the third time in 24 hours",
        }.get(message.kind, f"{name} stopped reporting; {said}")
        return Text(subject, lines)

    # Many stores

    def _write_many(self, message: Message) -> Text:
        rows = [row for row, _ in message.keys]
        still = message.kind == decide.BUNDLE_REMINDER
        silent = self.watched.rule.condition == NOT_REPORTING
        what = "not reporting" if silent else "down"
        subject = f"{len(rows):,} stores are {what}"
        if still:
            subject = f"Reminder: {len(rows):,} stores are still {what}"
        elif not silent and (begin := self._shared_begin(rows)) is not None:
            subject = self._shared_cause(rows, begin)
        return Text(subject, [*self._list(rows), *self._link("outages", "All outages")])

    def _write_incident(self, message: Message) -> Text:
        if message.kind == decide.OVER:
            return self._write_incident_over()
        found = self.watched.find_incident()
        if message.kind == decide.INCIDENT_STARTED:
            rows = [row for row, _ in message.keys]
        else:
            rows = sorted(row for row in (found[1] if found else ()) if row in self.watched.outage)
        start = found[0] if found else self.fleet.as_of
        subject = self._shared_cause(rows, start)
        if message.kind == decide.REMINDER:
            when = self._when(start, rows)
            subject = f"Reminder: {len(rows):,} stores are still down since {when}"
        return Text(subject, [*self._list(rows), *self._link("outages", "All outages")])

    def _shared_cause(self, rows: Sequence[int], start: int) -> str:
        return (
            f"{len(rows):,} of {self._count_open():,} stores went down at "
            f"{self._when(start, rows)}; probably one shared cause"
        )

    def _count_open(self) -> int:
        return int((self.watched.mask & self.fleet.open_now & self.fleet.observed).sum())

    def _when(self, instant: int, rows: Sequence[int]) -> str:
        zone = self._zone_of_most(rows)
        minute = instant // MINUTE * MINUTE
        return f"{clock(minute, zone, self.style)} {as_datetime(minute, zone):%Z}"

    def _shared_begin(self, rows: Sequence[int]) -> int | None:
        """When stores went down that did so within a quarter of an hour and are 5 % of the open
        ones or more; None for others. The quarter hour that makes it an incident is not over yet
        then."""
        begins = [self._begin(row) for row in rows]
        if max(begins) - min(begins) > QUARTER or 20 * len(rows) < self._count_open():
            return None
        return min(begins)

    def _write_incident_over(self) -> Text:
        events = self.watched.incidents.incidents
        if not len(events.start):
            return Text("The incident is over", self._link("outages", "All outages"))
        last = len(events.start) - 1
        start, end = int(events.start[last]), int(events.end[last])
        struck = int((events.incident == last).sum())
        rows = self.watched.incidents.stores.rows[events.store[events.incident == last]].tolist()
        zone, when = self._zone_of_most(rows), self._when(start, rows)
        lines = [
            f"It struck {struck:,} stores from {moment(start, zone, self.style)} to "
            f"{moment(end, zone, self.style)}."
        ]
        return Text(
            f"The incident of {when} is over", [*lines, *self._link("outages", "All outages")]
        )

    def _write_bundle_over(self, message: Message) -> Text:
        """Of as many stores as the messages before: those that are back up, those that are not
        yet, and those that nothing is known of any more."""
        rows, number, gone = [row for row, _ in message.keys], message.number, message.gone
        silent = self.watched.rule.condition == NOT_REPORTING
        back = "report again" if silent else "are back up"
        flapping = frozenset(row for row, _ in message.flapping)
        subject = f"All {number:,} stores {back}"
        if rows or gone:
            subject = f"{number - len(rows) - gone:,} of {number:,} stores {back}"
        if len(rows) == 1 and flapping:
            subject += f"; {self.name(rows[0])} is flapping"
        lines = ["Not yet:", *self._list(rows, flapping)] if rows else []
        if gone:
            said = "1 store is" if gone == 1 else f"{gone:,} stores are"
            lines.append(f"{said} not watched any more: not in the group, retired, or deleted.")
        if 0 < message.first < number:
            lines.append(f"{message.first:,} of the {number:,} were down at first, others later.")
        return Text(subject, [*lines, *self._link("outages", "All outages")])

    def _list(self, rows: Sequence[int], flapping: Set[int] = frozenset()) -> list[str]:
        """The worst of some stores, a line each."""
        lasted = {row: self._lasted(row) for row in rows}
        order = sorted(rows, key=lambda row: (-lasted[row], row))
        lines = []
        for row in order[:MOST_LISTED]:
            line = f"- {self.name(row)}: {self._state(row)}"
            lines.append(f"{line}; flapping" if row in flapping else line)
        if len(order) > MOST_LISTED:
            lines.append(f"and {len(order) - MOST_LISTED:,} more")
        if flapping & set(rows):
            lines.append("What is flapping is told once it was up for 2 open hours.")
        return lines

    def _state(self, row: int) -> str:
        n = self.watched.outage.get(row)
        status = int(self.fleet.status_now[self.watched.place[row]])
        if n is None and status == status_now.CLOSED:
            return "closed now"
        if n is None and self.watched.rule.condition != NOT_REPORTING:
            return f"not reporting since {self._since(row)}"
        lost = self.watched.attention.lost[n] if n is not None else float("nan")
        loss = f", about {self._money(float(lost))} lost" if np.isfinite(lost) else ""
        return f"since {self._since(row)}{self._for(row)}{loss}"

    def _for(self, row: int) -> str:
        lasted = self._lasted(row)
        return f" ({duration(lasted)})" if lasted else ""

    # Targets and the feed

    def _write_targets(self, message: Message) -> Text:
        part = message.keys[0][1]
        rows = [row for row, _ in message.keys]
        month = f"{as_datetime(self.fleet.as_of, self._zone_of(rows[0])):%B}"
        if len(rows) == 1:
            verb = "missed its" if part == MISSED else "may miss its"
            subject = f"{self.name(rows[0])} {verb} uptime target of {month}"
        else:
            parts = {key[1] for key in message.keys}
            verb = "missed their" if parts == {MISSED} else "may miss their"
            verb = verb if len(parts) == 1 else "missed or may miss their"
            subject = f"{len(rows):,} stores {verb} uptime targets of {month}"
        if message.kind in {decide.REMINDER, decide.BUNDLE_REMINDER}:
            subject = f"Reminder: {subject}"
        lines = [self._target_line(key) for key in self._worst_first(message.keys)[:MOST_LISTED]]
        if len(rows) > MOST_LISTED:
            lines.append(f"and {len(rows) - MOST_LISTED:,} more")
        return Text(subject, [*lines, *self._link("stores", "All stores")])

    def _worst_first(self, keys: Sequence[Key]) -> list[Key]:
        """Those furthest beyond what the month allows, or nearest to it, first."""
        places = [self.watched.place[row] for row, _ in keys]
        order = np.argsort(self.watched.standing.left[places], kind="stable")
        return [keys[n] for n in order.tolist()]

    def _target_line(self, key: Key) -> str:
        n = self.watched.place[key[0]]
        one = self.watched.standing.of(np.array([n])).each()
        target = int(self.watched.standing.target[n]) / 10_000
        return (
            f"- {self.name(key[0])}: target {target:g}%, down for {duration(int(one.used[0]))} "
            f"of the {duration(int(one.budget[0]))} that the month allows"
        )

    def _write_feed(self, message: Message) -> Text:
        newest = read_feed(self.watched.groups).newest
        zone = self.zone or "UTC"
        said = moment(newest, zone, self.style)
        link = self._link("data_check", "Data check")
        if message.kind == decide.OVER:
            return Text("Polls come in again", [f"Newest poll: {said}", *link])
        late = "Reminder: still no polls come in" if message.kind == decide.REMINDER else ""
        lines = [
            f"Newest poll: {said}",
            "Until polls come in again, no store is called up or down, and nothing is said of it.",
        ]
        return Text(f"{late or 'No polls come in'} since {said}", [*lines, *link])

    # Pieces

    def name(self, row: int) -> str:
        """A store's name, or else its id."""
        store_id = self.fleet.ids[self.watched.place[row]]
        return clean_name(self.fleet.stores.names.get(store_id) or store_id)

    def label(self, row: int) -> str:
        """A store's name with its id."""
        store_id = self.fleet.ids[self.watched.place[row]]
        name = self.fleet.stores.names.get(store_id)
        return formatting.store_label(store_id, clean_name(name) if name else None)

    def _zone_of(self, row: int) -> str:
        stores = self.fleet.stores
        return stores.zones[int(stores.zone_of_store[self.watched.place[row]])]

    def _zone_of_most(self, rows: Sequence[int]) -> str:
        if self.zone or not rows:
            return self.zone or "UTC"
        zones = [self._zone_of(row) for row in rows]
        return max(sorted(set(zones)), key=zones.count)

    def _begin(self, row: int) -> int:
        n = self.watched.outage.get(row)
        if n is not None:
            return int(self.watched.attention.since[n])
        return int(self.fleet.last_poll[self.watched.place[row]])

    def _since(self, row: int) -> str:
        """A time of day, with the date where it was not today, on the store's clock."""
        zone, begin = self._zone_of(row), self._begin(row)
        begin = begin // MINUTE * MINUTE
        today = as_datetime(self.fleet.as_of, zone).date()
        if as_datetime(begin, zone).date() == today:
            return clock(begin, zone, self.style)
        return moment(begin, zone, self.style)

    def _lasted(self, row: int) -> int:
        n = self.watched.outage.get(row)
        return 0 if n is None else int(self.watched.attention.down_for[n])

    def _money(self, amount: float) -> str:
        return formatting.money(amount, self.style)

    def _store_link(self, row: int) -> list[str]:
        store_id = self.fleet.ids[self.watched.place[row]]
        return self._link(f"store?store={quote(store_id, safe=':')}", "The store's page")

    def _link(self, path: str, title: str) -> list[str]:
        return ["", f"{title}:", f"{self.site}/{path}"]


def can_be_acknowledged(message: Message) -> bool:
    """Whether an alert begins or goes on with this message, so that reminders may follow."""
    return message.kind in {
        *(decide.STARTED, decide.REMINDER, decide.INCIDENT_STARTED),
        *(decide.BUNDLE_STARTED, decide.BUNDLE_REMINDER),
    }


def alert_key(message: Message) -> Key:
    """The key of the watch that a message belongs to."""
    of_bundle = {
        *(decide.INCIDENT_STARTED, decide.BUNDLE_STARTED),
        *(decide.BUNDLE_REMINDER, decide.BUNDLE_OVER),
    }
    return BUNDLE if message.kind in of_bundle else message.keys[0]
