"""What Prometheus is told of stores and groups."""

from dataclasses import replace

import pytest

from restmon.ops import fleet_metrics
from restmon.settings import get_settings
from restmon.stores import groups
from tests.support.workspace import Workspace
from tests.support.wsgi import get

# As of 18:30: ``down`` since 14:30, ``late`` was polled until 11:00 and every hour before.
POLLS = "".join(
    f"{store},{status},2023-01-25 {hour:02}:30:00 UTC\n"
    for store, hours in (("up", range(19)), ("down", range(19)), ("late", range(11)))
    for hour in hours
    for status in ["inactive" if store == "down" and hour > 14 else "active"]
)


def samples() -> dict[str, float]:
    return {
        sample.name + "".join(f",{k}={v}" for k, v in sample.labels.items()): sample.value
        for family in fleet_metrics.collect()
        for sample in family.samples
    }


@pytest.mark.both_databases
def test_statuses_uptime_and_coverage(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    assert samples() == {}
    workspace.import_now(POLLS)
    for name, members in (("All", ["up", "down", "late"]), ("Two", ["up", "late"]), ("No", [])):
        groups.create(name)
        groups.set_members(name, members)
    found = samples()
    assert found["restmon_stores_by_status,status=up"] == 1
    assert found["restmon_stores_by_status,status=down"] == 1
    assert found["restmon_stores_by_status,status=not reporting"] == 1
    assert found["restmon_stores_by_status,status=closed"] == 0
    of_all = get("/groups/All/uptime", last="24h")["total"]
    assert 100 * found["restmon_uptime_day_ratio"] == pytest.approx(
        of_all["uptime_percent"], abs=0.01
    )
    for name, down in (("All", 1), ("Two", 0)):
        total = get(f"/groups/{name}/uptime", last="24h")["total"]
        assert found[f"restmon_group_stores_down,group={name}"] == down
        assert found[f"restmon_group_stores_not_reporting,group={name}"] == 1
        for metric, member in (("uptime", "uptime_percent"), ("coverage", "coverage")):
            value = 100 * found[f"restmon_group_{metric}_day_ratio,group={name}"]
            assert value == pytest.approx(total[member], abs=0.01)
    assert found["restmon_group_stores,group=No"] == 0
    assert "restmon_group_uptime_day_ratio,group=No" not in found
    assert found["restmon_groups_left_out"] == 0

    bounded = replace(get_settings(), metrics_groups=1)
    monkeypatch.setattr(fleet_metrics, "get_settings", lambda: bounded)
    found = samples()
    assert {name.partition("group=")[2] for name in found if "group=" in name} == {"All"}
    assert found["restmon_groups_left_out"] == 2
