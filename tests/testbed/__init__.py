"""What integration and acceptance tests stand on: servers of their own, events, processes, invariants."""

import pytest

# Their asserts tell what they compared, as those of tests do.
pytest.register_assert_rewrite("testbed.invariants", "testbed.run")
