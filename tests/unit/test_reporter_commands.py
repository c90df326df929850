"""`ioc reporter`: the register in the profile's files, changed by rows, checked whole, or not at all."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.cli import app
from ioc.errors import ConfigError
from ioc.province.profile import load_profile
from ioc.province.register_file import end_reporter
from ioc.settings import ROOT
from ioc.web.tokens import TokenFile


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A province's directory of its own."""
    directory = tmp_path / "profile"
    shutil.copytree(ROOT / "ioc" / "profiles" / "bac_lieu", directory)
    return directory


def run(profile: Path, *arguments: str) -> Result:
    environment = {"IOC_PROFILE": str(profile), "IOC_TOKEN_FILE": str(profile.parent / "tokens.json")}
    environment |= {"IOC_STATE_DIR": str(profile.parent), "IOC_DB_PORT": "1"}  # no database: the audit log waits there
    return CliRunner().invoke(app, ["reporter", *arguments], env=environment)


def listed(profile: Path, *arguments: str) -> list[dict[str, Any]]:
    result = run(profile, "list", "--json", *arguments)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def first_lodging(profile: Path) -> dict[str, Any]:
    return listed(profile, "--feed", "tourism.stay")[0]


ADD = ("--feed", "tourism.stay", "--feed", "tourism.daily_report", "--register", "lodging", "--name", "Khách sạn, mới")


def test_the_list_says_by_when_reports_are_due(profile: Path) -> None:
    daily = listed(profile, "--feed", "tourism.daily_report", "--limit", "1")[0]
    assert daily["next_deadlines"].startswith("daily ") and daily["must_report"] is False, "the profile asks for none"
    values = listed(profile, "--feed", "report.value", "--limit", "1")[0]["next_deadlines"]
    assert [part.split()[0] for part in values.split("; ")] == ["daily", "weekly", "monthly", "quarterly", "yearly"]
    with (profile / "deadlines.csv").open("a", encoding="utf-8") as file:
        file.write(f"tourism.daily_report,daily,{daily['code']},yes,2,no,09:30,test\n")
    changed = listed(profile, "--feed", "tourism.daily_report", "--limit", "2")
    assert [one["must_report"] for one in changed] == [True, False]
    assert changed[0]["next_deadlines"].endswith("09:30") and not changed[1]["next_deadlines"].endswith("09:30")


def test_the_list_says_who_must_report_what_since_when_and_with_which_token(profile: Path) -> None:
    one = first_lodging(profile)
    assert one["every_hours"] == 0.25 and one["since"] and one["tokens"] == ""
    made = run(profile, "token", one["code"], "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert first_lodging(profile)["tokens"] == told["id"]
    token = TokenFile(profile.parent / "tokens.json").authenticate(told["secret"])
    assert token.allows_reporter(one["code"]) and not token.allows_reporter(one["code"] + "0")
    assert "tourism.stay" in token.feeds and token.expires_at is not None
    assert told["secret"] not in (profile.parent / "tokens.json").read_text()


def test_a_reporter_is_added_where_its_kind_stands(profile: Path) -> None:
    one = first_lodging(profile)
    before = (profile / "reporters_lodging.csv").read_text("utf-8")
    added = run(profile, "add", "95-new", *ADD, "--area", one["area"], "--from", "2024-03-01", "--attribute", "star=3")
    assert added.exit_code == 0, added.output
    after = (profile / "reporters_lodging.csv").read_text("utf-8")
    assert after.startswith(before) and len(after.splitlines()) == len(before.splitlines()) + 1
    rows = listed(profile, "--code", "95-new")
    assert {(row["feed"], row["since"], row["until"]) for row in rows} == {
        ("tourism.stay", "2024-03-01", None),
        ("tourism.daily_report", "2024-03-01", None),
    }
    (reporter, *_) = [one for one in load_profile(profile).reporters if one.code == "95-new"]
    assert reporter.attributes["star"] == 3 and reporter.name == "Khách sạn, mới"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (("--area", "99999"), "no unit bears"),
        (("--attribute", "colour=red"), "no column colour"),
        (("--attribute", "star"), "NAME=VALUE"),
        (("--feed", "no.feed"), "no.feed"),
    ],
)
def test_what_does_not_hold_changes_nothing(profile: Path, changes: tuple[str, ...], complaint: str) -> None:
    one = first_lodging(profile)
    before = {path.name: path.read_bytes() for path in profile.glob("*.csv")}
    result = run(profile, "add", "95-new", *ADD, "--area", one["area"], *changes)
    assert result.exit_code == 2
    assert complaint in result.output
    assert {path.name: path.read_bytes() for path in profile.glob("*.csv")} == before


def test_a_code_is_given_once(profile: Path) -> None:
    one = first_lodging(profile)
    result = run(profile, "add", one["code"], *ADD, "--area", one["area"])
    assert result.exit_code == 2 and "already" in result.output


def test_an_import_is_all_or_nothing(profile: Path, tmp_path: Path) -> None:
    area = first_lodging(profile)["area"]
    file = tmp_path / "new.csv"
    head = "feeds,registers,code,name,area_code,type,star,rooms,beds,valid_from,valid_to\n"
    good = f"tourism.stay,lodging,95-a,A,{area},hotel,2,10,20,2024-01-01,\n"
    file.write_text(head + good + good.replace("95-a", "95-b").replace(area, "00000"), "utf-8")
    assert run(profile, "import", str(file)).exit_code == 2
    assert listed(profile, "--code", "95-a") == []
    file.write_text(head + good + good.replace("95-a", "95-b"), "utf-8")
    done = run(profile, "import", str(file))
    assert done.exit_code == 0, done.output
    assert {row["code"] for row in listed(profile, "--code", "95-", "--limit", "5000")} >= {"95-a", "95-b"}
    file.write_text("a,b\n1,2\n", "utf-8")
    assert run(profile, "import", str(file)).exit_code == 2


def test_an_end_changes_one_row_and_nobody_waits_any_more(profile: Path) -> None:
    code = first_lodging(profile)["code"]
    before = (profile / "reporters_lodging.csv").read_text("utf-8").splitlines()
    assert run(profile, "end", code, "--on", "2025-07-01").exit_code == 0
    after = (profile / "reporters_lodging.csv").read_text("utf-8").splitlines()
    assert [old for old, new in zip(before, after, strict=True) if old != new] == [
        line for line in before if f",{code}," in line
    ]
    assert all(row["until"] == "2025-07-01" for row in listed(profile, "--code", code))
    assert code in {row["code"] for row in listed(profile, "--on", "2025-06-30", "--limit", "10000")}
    assert code not in {row["code"] for row in listed(profile, "--on", "2025-07-01", "--limit", "10000")}
    again = run(profile, "end", code, "--on", "2025-08-01")
    assert again.exit_code == 2 and "No open entry" in again.output


def test_one_feed_of_several_is_not_ended_by_the_way(profile: Path) -> None:
    code = first_lodging(profile)["code"]
    with pytest.raises(ConfigError, match="by one row"):
        end_reporter(profile, code, date(2025, 7, 1), "tourism.stay")


def test_a_token_needs_a_registered_reporter(profile: Path) -> None:
    result = run(profile, "token", "nobody")
    assert result.exit_code == 2 and "in no register" in result.output
