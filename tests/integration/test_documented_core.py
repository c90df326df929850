"""What README and docs/ tell a reader to type does what they say, on a running stack: start, publish, read.

Commands that change nothing are run as they stand, all of them, once a sector system has published by the documented
commands. `tests/docs/test_documented_commands.py` only reads the others.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from testbed.documented import Documented, documented_commands
from testbed.service import running_services, wait_until_settled
from typer.testing import CliRunner

from deploy.audited import READING
from deploy.cli import app
from deploy.local.process import wait_until
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.settings import Settings

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "formats"
# What stands for the reader's own, and paths outside the checkout.
PLACEHOLDER = re.compile(r"[A-ZĐ]{2,}|…|\.\.\.|^/srv/|\[|\]|\\")


# Other exit statuses than 0, and why they are right here.
STATUS: Mapping[str, tuple[int, ...]] = {
    # Of the machine that the test runs on: its disk may be nearly full.
    **dict.fromkeys(("ioc doctor", "ioc doctor --json", "ioc doctor --no-probe"), (0, 1)),
    "ioc approval verify 12 --history": (2,),  # the number is the reader's: it is told that there is none
}


def expected(text: str) -> tuple[int, ...]:
    """The exit statuses that a command may end with; of a time before the platform began nothing is known."""
    return STATUS.get(text, (2,) if "--as-of" in text else (0,))


def of_reading(one: Documented) -> bool:
    """Whether a command changes nothing, and stands there with all that it needs."""
    words = one.words
    path = next((" ".join(words[1:end]) for end in (4, 3, 2) if " ".join(words[1:end]) in READING), "")
    given = words[1 + len(path.split()) :]
    # In a sentence a bare name of a command is no command line: `ioc catalogue show`.
    complete = one.whole or one.page == "README.md"
    return words[0] == "ioc" and path != "" and complete and not any(PLACEHOLDER.search(word) for word in given)


def test_what_the_pages_tell_to_type_works(
    settings: Settings,
    kafka_topics: list[str],
    feeds: dict[str, Feed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment = settings.to_environment()
    monkeypatch.chdir(tmp_path)

    def ioc(*words: str, status: tuple[int, ...] = (0,)) -> str:
        done = CliRunner().invoke(app, list(words), env=dict(environment))
        assert done.exit_code in status, f"ioc {' '.join(words)}: {done.exit_code}\n{done.output}\n{done.exception}"
        assert done.output.strip(), f"ioc {' '.join(words)} says nothing"
        return done.stdout

    with running_services(settings, tmp_path / "log") as services:
        _publish(ioc, tmp_path, feeds)
        wait_until_settled(settings, feeds, services)
        with connect(settings, "owner", autocommit=True) as owner:
            assert wait_until(
                lambda: owner.execute("SELECT count(*) > 0 FROM indicator_status").fetchone() == (True,), 120
            )
        commands = {" ".join(one.words): one for one in documented_commands() if of_reading(one)}
        assert len(commands) > 25
        faults = [
            f"{one}: {done.exit_code}\n{done.output[-600:]}"
            for text, one in commands.items()
            if (done := CliRunner().invoke(app, one.words[1:], env=dict(environment))).exit_code not in expected(text)
            or not done.output.strip()
        ]
    assert faults == [], "\n".join(faults)


def _publish(ioc: object, directory: Path, feeds: Mapping[str, Feed]) -> None:
    """As docs/gateway.md and docs/formats.md tell a sector system."""
    assert callable(ioc)
    secret = ioc("token", "create", "Sở Du lịch", "--feed", "tourism.stay", "--feed", "tax.einvoice", "--reporter", "*")
    (directory / "my.token").write_text(secret, encoding="utf-8")
    invoices = directory / "invoices"
    shutil.copytree(SAMPLES / "einvoice_xml", invoices)
    files = sorted(str(file.relative_to(directory)) for file in invoices.glob("*.xml"))
    ioc("publish", "--dry-run", *files, status=(0, 1))
    ioc("publish", "--token-file", "my.token", "--wait", "90", *files, status=(0, 1))
