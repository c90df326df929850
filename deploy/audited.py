"""Which commands are entered in the audit log, and the entering.

Every command is named here once: what changes something is audited; a test holds the lists against the commands.
"""

from __future__ import annotations

from typing import Any, Final

import click

# Commands that change what the platform holds, shows, sends, or lets in.
AUDITED: Final = frozenset(
    {
        *("token create", "token rotate", "token revoke", "link"),
        *(
            "db migrate",
            "db reader set",
            "db reader remove",
            "profile load",
            "topic create",
            "retention",
            "rebuild",
            "backup",
            "restore",
        ),
        *("target set", "target import", "target end", "approval sign"),
        *("reporter add", "reporter import", "reporter end", "reporter token"),
        *("position accept", "contribution fold", "dead-letter replay", "dead-letter mend", "change relay"),
        *("grafana push", "quality report", "digest"),
    }
)
# Their acts are entered where they are done, with the API's and the pages' (ioc.incident.acting).
AUDITED_WHERE_DONE: Final = frozenset({"incident ack", "incident silence", "incident assign"})
# They show something, or write files of their own.
READING: Final = frozenset(
    {
        *(
            "doctor",
            "heal",
            "audit list",
            "audit verify",
            "token list",
            "db status",
            "db size",
            "db reader list",
            "topic list",
            "position list",
        ),
        *("catalogue check", "catalogue list", "catalogue show", "catalogue diff", "catalogue export"),
        *("feed list", "format list", "schema export", "profile show", "reporter list", "target list"),
        *("indicator series", "indicator list", "indicator show", "indicator explain", "indicator history"),
        *("approval list", "approval verify", "status", "incident list", "incident show", "notification list"),
        *(
            "change list",
            "contribution list",
            "dead-letter list",
            "dead-letter show",
            "dead-letter sample",
            "reconcile",
        ),
        *("drop list", "poller list", "quality control-totals", "grafana build", "grafana check", "grafana pull"),
        *("stack status", "simulate-files"),
    }
)
# Processes that run on, and commands that send data as a sector system does. They are not entered: what they stored is
# found in `stream_batch` and in the records.
RUNNING: Final = frozenset(
    {
        *("gateway", "api", "worker", "rollup", "scheduler", "stack keep", "drop run", "poller run"),
        *("publish", "registry publish", "simulate", "demo"),
    }
)
# For trying and for writing code, on one machine.
LOCAL: Final = frozenset({"stack setup", "stack up", "stack down", "stack start", "stack stop", "feed new"})
_NOT_TOLD: Final = frozenset({"as_json"})


def audited(command: click.Command, path: str) -> click.Command:
    """Let a command, and all below it, enter what they do; called once a command that was just made."""
    for name, child in getattr(command, "commands", {}).items():
        audited(child, f"{path} {name}")
    if path in AUDITED:
        _enter(command, path)
    return command


def _enter(command: click.Command, path: str) -> None:
    run = command.invoke

    def invoke(context: click.Context) -> Any:
        # Without an entry, as nothing is changed: `--dry-run`, and `ioc dead-letter mend` without `--apply`.
        if context.params.get("dry_run") or context.params.get("apply") == "":
            return run(context)
        from ioc.audit.journal import Journal  # noqa: PLC0415 - help must not import the database's client
        from ioc.settings import Settings  # noqa: PLC0415

        arguments = {name: value for name, value in context.params.items() if name not in _NOT_TOLD}
        ended: click.exceptions.Exit | None = None
        result = None
        with Journal(Settings()).act(path, arguments):
            try:
                result = run(context)
            except click.exceptions.Exit as error:
                if error.exit_code:
                    raise
                ended = error
        if ended is not None:
            raise ended
        return result

    vars(command)["invoke"] = invoke
