"""The conditions that a rule can have, in words."""

from restmon.core.instants import DAY, MINUTE
from restmon.notify.channels import EVENTS, IMPORTED, REPORTED
from restmon.notify.decide import Policy
from restmon.storage.notify_models import Rule

DOWN, NOT_REPORTING, INCIDENT = "down", "not reporting", "incident"
FEED, TARGET, IMPORT, REPORT = "feed stopped", "target", "import", "report"
CONDITIONS = {
    DOWN: "A store is down for some open minutes, and when it is back up",
    NOT_REPORTING: "A store stops reporting, and when it reports again",
    INCIDENT: "An incident: many stores are down at once, and when it is over",
    FEED: "The feed stops: no polls come in, and when they come again",
    TARGET: "The uptime of a month is at risk, or below its target",
    IMPORT: "An import failed, or lines of it were rejected",
    REPORT: "A report is ready, or failed",
}
"""What a person can choose, and how it is described."""
IN_SHORT = {
    DOWN: "down for {} of business hours, and back up",
    NOT_REPORTING: "not reporting, and reporting again",
    INCIDENT: "an incident, and its end",
    FEED: "the feed stops, and comes again",
    TARGET: "a target at risk, or missed",
    IMPORT: "an import failed, or had rejected lines",
    REPORT: "a report is ready, or failed",
}
"""The same, as it is said of a rule."""
OF_STORES = frozenset({DOWN, NOT_REPORTING, TARGET})
"""Conditions that a rule of one store may have."""
OF_JOBS = frozenset({IMPORT, REPORT, IMPORTED, REPORTED})
"""Conditions that are met once by each import or report."""
DEFAULT_MINUTES = 15


def policy_of(rule: Rule) -> Policy:
    """How a rule tells what it watches."""
    least = 2 * MINUTE * rule.minutes
    reminder = None if rule.reminder is None else 2 * MINUTE * rule.reminder
    if rule.condition in EVENTS:
        return Policy(bundles=False, damps=False)
    if rule.condition == TARGET:
        return Policy(damps=False, closes=False, gathers=DAY)
    if rule.condition in {FEED, INCIDENT}:
        return Policy(reminder=reminder, bundles=False, damps=False)
    return Policy(least if rule.condition == DOWN else 0, reminder)
