"""Metrics of the stores as of the newest poll: statuses, and uptime and coverage of the last day,
for all stores and for the largest groups."""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from restmon.core.status_now import DOWN, NOT_REPORTING, STATUS_NAMES
from restmon.errors import NoPolls
from restmon.reporting.fleet import compute_fleet
from restmon.reporting.group_list import GroupSummary, list_group_summaries, sum_up_all
from restmon.settings import get_settings


def collect() -> Iterable[Metric]:
    """All gauges; none if there are no polls. Only the RESTMON_METRICS_GROUPS largest groups have
    gauges of their own. One gauge counts the others."""
    try:
        everything = sum_up_all(compute_fleet())
        _, groups = list_group_summaries()
    except NoPolls:
        return []
    groups = sorted(groups, key=lambda group: (-group.stores, group.name))
    shown = groups[: get_settings().metrics_groups]
    statuses = GaugeMetricFamily(
        "restmon_stores_by_status", "Stores by their status now.", labels=["status"]
    )
    for name, count in zip(STATUS_NAMES, everything.statuses, strict=True):
        statuses.add_metric([name], count)
    left_out = GaugeMetricFamily(
        "restmon_groups_left_out",
        "Groups that the metrics leave out (RESTMON_METRICS_GROUPS).",
        len(groups) - len(shown),
    )
    return [statuses, *_of_all(everything), left_out, *_of_groups(shown)]


def _shares(found: GroupSummary) -> tuple[float | None, float | None]:
    """(uptime, coverage) of the last day, 0 to 1; None where there is none."""
    seen = found.up + found.down
    return (
        found.up / seen if seen else None,
        found.covered / found.open if found.open else None,
    )


def _of_all(found: GroupSummary) -> Iterable[Metric]:
    uptime, coverage = _shares(found)
    for name, what, value in (
        ("uptime_day_ratio", "Uptime of the last day, 0 to 1.", uptime),
        ("coverage_day_ratio", "Share of the last day's open time that was seen.", coverage),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"restmon_{name}", what, value)


def _of_groups(groups: list[GroupSummary]) -> list[Metric]:
    of = {
        name: GaugeMetricFamily(f"restmon_group_{name}", what, labels=["group"])
        for name, what in (
            ("stores", "Stores of the group."),
            ("stores_down", "Stores of the group that are down now."),
            ("stores_not_reporting", "Stores of the group whose polls have stopped."),
            ("uptime_day_ratio", "Uptime of the group's last day, 0 to 1."),
            ("coverage_day_ratio", "Share of the group's open time of the last day seen."),
        )
    }
    for group in groups:
        uptime, coverage = _shares(group)
        for name, value in (
            ("stores", group.stores),
            ("stores_down", group.statuses[DOWN]),
            ("stores_not_reporting", group.statuses[NOT_REPORTING]),
            ("uptime_day_ratio", uptime),
            ("coverage_day_ratio", coverage),
        ):
            if value is not None:
                of[name].add_metric([group.name], value)
    return list(of.values())
