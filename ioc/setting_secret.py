"""Secrets among the settings: which process gets which, and which defaults are publicly known."""

from __future__ import annotations

from typing import Final

# What each process has to know; all other secrets are withheld from it. The gateway faces the internet: it has no
# password of the database, and asks the API what became of events.
SECRETS_OF: Final[dict[str, frozenset[str]]] = {
    # The keys of pseudonyms to take the sectors' files.
    "gateway": frozenset({"kafka_sasl_password", "pseudonym_key", "pseudonym_previous_key"}),
    "worker": frozenset({"kafka_sasl_password", "db_worker_password"}),
    "rollup": frozenset({"db_rollup_password"}),
    "scheduler": frozenset(
        {
            *("kafka_sasl_password", "db_scheduler_password", "link_key"),
            *("smtp_password", "telegram_token", "zalo_app_secret", "zalo_refresh_token"),
        }
    ),
    # Kafka's to read the records that receipts name.
    "api": frozenset({"kafka_sasl_password", "db_reader_password", "db_api_password", "link_key", "receipt_token"}),
}

# Whoever reads this file knows their defaults.
SHIPPED_SECRETS: Final = (
    "db_owner_password",
    "db_writer_password",
    "db_worker_password",
    "db_rollup_password",
    "db_scheduler_password",
    "db_api_password",
    "db_reader_password",
    "db_grafana_password",
    "pseudonym_key",
    "link_key",
)
