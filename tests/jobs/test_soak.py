"""Faults under real processes: a little of what ``make soak`` does."""

import pytest

from restmon.storage.models import COMPLETE
from tests.support import soak
from tests.support.workspace import Workspace


@pytest.mark.slow
@pytest.mark.both_databases
def test_kills_at_random_moments_lose_and_double_nothing(workspace: Workspace):
    seen = soak.kills(workspace, count=10, seed=7)
    assert seen.kills.total() == 10
    assert seen.imports[COMPLETE] > 0
    assert seen.reports[COMPLETE] > 0


@pytest.mark.slow
@pytest.mark.both_databases
def test_two_workers_and_three_importers_at_once(workspace: Workspace):
    seen = soak.three_at_once(workspace, rounds=2)
    assert seen.imports[COMPLETE] >= 6


@pytest.mark.slow
def test_a_full_disk(workspace: Workspace):
    soak.disk_full(workspace)


@pytest.mark.slow
@pytest.mark.parametrize("patience", [60, 0.5])
def test_a_database_that_another_program_locks(workspace: Workspace, patience: float):
    soak.locked(workspace, 6, patience)


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_clock_that_steps_back(workspace: Workspace):
    soak.clock_steps_back(workspace)


@pytest.mark.slow
def test_files_that_are_removed_or_cut_off(workspace: Workspace):
    soak.files_go(workspace)


@pytest.mark.slow
def test_answers_while_work_is_being_done(workspace: Workspace):
    found = soak.load(workspace, requests=400, clients=8)
    assert set(found.statuses) <= {200, 202, 404}
    assert found.statuses.total() == 400
