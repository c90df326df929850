"""An upgrade without a stop: new workers start beside the old ones, which end one after the other."""

from __future__ import annotations

import pytest
from testbed.invariants import assert_invariants
from testbed.run import Run

from ioc.database.migration import migrate
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.province.store import load_into_database


@pytest.mark.timeout(600)
def test_old_and_new_workers_work_beside_each_other_until_the_old_ones_have_ended(run: Run, profile: Profile) -> None:
    """The old ones are as they were before each process had a role: the writer's, and records one at a time."""
    settings = run.settings
    as_before = {
        "db_worker_user": settings.db_writer_user,
        "db_worker_password": settings.db_writer_password,
        "worker_whole_fetch": False,
    }
    old = [run.worker(worker_fetch_records=50, **as_before) for _ in range(2)]
    run.publish(600)
    run.wait_for(lambda: run.progress() > 100, "the old workers store events")
    # What the upgrade does to the database while they go on.
    assert migrate(settings, run.feeds.values()) == []
    load_into_database(settings, profile, load_profile_catalogue(settings.profile, run.feeds))
    for one in old:
        new = run.worker(worker_fetch_records=50)
        new.wait_ready(120.0)
        run.publish(300)
        assert one.stop(timeout=120.0) == 0, "it ends by itself when it is asked to"
        stored = run.progress()
        run.publish(300)
        run.wait_for(lambda stored=stored: run.progress() > stored, "events are stored on")  # type: ignore[misc]
    assert all(one.pid is None for one in old)
    run.wait_drained()
    assert_invariants(run)
