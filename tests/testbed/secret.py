"""Secrets in place of those that come with the project, which are refused as soon as anything is outside."""

from __future__ import annotations

from typing import Any

NO_SHIPPED_SECRETS: dict[str, Any] = {
    "db_owner_password": "an owner's",
    "db_writer_password": "a writer's",
    "db_worker_password": "a worker's",
    "db_rollup_password": "a roll-up's",
    "db_scheduler_password": "a scheduler's",
    "db_api_password": "an API's",
    "db_reader_password": "a reader's",
    "db_grafana_password": "a viewer's",
    "pseudonym_key": "a key of its own",
    "link_key": "another key of its own",
}
