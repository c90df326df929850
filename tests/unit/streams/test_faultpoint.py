"""Where the acceptance tests kill a worker: only where and when they say."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from ioc.faultpoint import POINTS, fault_from, no_fault


def test_without_a_setting_every_point_is_passed() -> None:
    assert fault_from("") is no_fault
    for point in POINTS:
        no_fault(point)


def test_a_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no fault point 'somewhere'"):
        fault_from("somewhere:1")


def test_the_process_dies_at_the_point_and_pass_that_are_named() -> None:
    program = (
        "from ioc.faultpoint import fault_from\n"
        "fault = fault_from('after_copy:2')\n"
        "for point in ('after_copy', 'before_ack', 'after_copy', 'after_fetch'):\n"
        "    print(point, flush=True)\n"
        "    fault(point)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert done.stdout.split() == ["after_copy", "before_ack", "after_copy"]
