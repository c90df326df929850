"""The main job as a sector system sees it: files are published by the command line, and figures move.

What the figures must be was computed by hand from the sample files; nothing here asks the catalogue or the agents.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from testbed.service import running_services, wait_until_settled

from ioc.catalogue import compile_measures
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.reading.explanation import Explainer
from ioc.settings import Settings

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "formats"
INVOICES = SAMPLES / "einvoice_xml"
GUESTS = SAMPLES / "lodging_foreign_xml" / "guests.xml"
DAYS = SAMPLES / "lodging_daily_json" / "days.json"
FIRST = ("message_200_with_a_bad_neighbour.xml", "message_206_petrol.xml", "sales_invoice.xml")
LATER = ("replacement.xml", "adjustment.xml", "adjustment_of_tax_alone.xml", "message_300_notice.xml")
PROVINCE, VUNG_TAU, WARD_10, KIM_DINH, XUAN_SON = "77", "747", "26536", "26566", "26584"
OCTOBER = date(2024, 10, 31)


class Office:
    """A sector system's machine: the command line, and a token in a file."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._environment = settings.to_environment()
        self._token_file = directory / "my.token"

    def ioc(self, *arguments: str, status: int = 0) -> str:
        """Run a command; returns what it prints."""
        command = [str(Path(sys.executable).with_name("ioc")), *arguments]
        done = subprocess.run(command, check=False, env=self._environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stderr
        return done.stdout

    def get_token(self, *feeds: str) -> None:
        allowed = [part for feed in feeds for part in ("--feed", feed)]
        self._token_file.write_text(self.ioc("token", "create", "Office", *allowed, "--reporter", "*"))

    def publish(self, *arguments: str, status: int = 0, command: tuple[str, ...] = ("publish",)) -> dict[str, Any]:
        """Publish; returns the report."""
        printed = self.ioc(*command, "--json", "--token-file", str(self._token_file), *arguments, status=status)
        report: dict[str, Any] = json.loads(printed)
        return report

    def explain(self, code: str, area: str) -> dict[str, Any]:
        """Explain October's figure of an indicator."""
        month = ("--on", str(OCTOBER), "--period", "month")
        explained: dict[str, Any] = json.loads(self.ioc("indicator", "explain", code, "--area", area, *month, "--json"))
        return explained


def assert_figures(explainer: Explainer, figures: Mapping[tuple[str, str], float | None]) -> None:
    """Compare October's figures with what they must be, and those that are sums with the records behind them."""
    shown = {}
    for code, area in figures:
        explained = explainer.explain(code, explainer.cell(area, "month", OCTOBER), limit=1000)
        shown[code, area] = explained.value
        if explained.kind in ("flow", "stock"):
            assert sum(record.adds for record in explained.records) == pytest.approx(explained.value), code
    assert shown == figures


@pytest.fixture
def explainer(settings: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[Explainer]:
    compiled = compile_measures(load_profile_catalogue(settings.profile, feeds))
    with connect(settings, "reader", autocommit=True) as connection:
        yield Explainer(connection, compiled, feeds, profile.areas)


def test_files_become_figures_and_corrections_move_them(
    settings: Settings, kafka_topics: list[str], feeds: dict[str, Feed], explainer: Explainer, tmp_path: Path
) -> None:
    office = Office(settings, tmp_path)
    office.get_token("tax.einvoice", "tourism.stay", "tourism.daily_report")
    with running_services(settings, tmp_path / "log") as services:
        office.publish(str(INVOICES / FIRST[-1]))
        report = office.publish("--wait", "90", *(str(INVOICES / name) for name in FIRST), status=1)
        assert (report["events"], report["accepted"], report["refused"]) == (4, 4, 1)
        # The gateway took four: one of them is known already, and the worker refuses another. The receipt tells.
        downstream = report["downstream"]
        assert (downstream["complete"], downstream["untold"]) == (True, "")
        assert downstream["counts"] == {"stored": 2, "duplicate": 1, "rejected": 1}
        (rejected,) = downstream["rejected"]
        assert rejected["where"].endswith("message_206_petrol.xml: 1C24MPL 1208")  # of the branch 3590000051-001
        assert [reason["rule"] for reason in rejected["reasons"]] == ["unknown_reporter"]
        options = ("--establishment", "77-750-0004", "--received-at", "2024-10-05T18:00:00")
        report = office.publish(*options, str(GUESTS), str(DAYS), status=1)
        assert (report["events"], report["accepted"], report["refused"]) == (5, 5, 3)
        wait_until_settled(settings, feeds, services)
        assert_figures(
            explainer,
            {
                # 5,200,001 (a restaurant in Ward 10) + 45,446 (a petrol shop in Kim Dinh) + 237,500 (a household);
                # the branch 3590000051-001 is in no register, so its 10,722,375 are refused.
                ("einvoice.value.total", PROVINCE): 5_482_947,
                ("einvoice.value.total", VUNG_TAU): 5_200_001,
                ("einvoice.value.total", KIM_DINH): 45_446,
                ("einvoice.invoices.total", PROVINCE): 3,
                ("einvoice.vat.total", PROVINCE): 444_545,
                ("einvoice.vat.rate_8", PROVINCE): 320_000,
                ("einvoice.vat.rate_10", PROVINCE): 124_545,
                ("petrol.volume.e5_ron92", KIM_DINH): 2.546,
                ("petrol.revenue.total", KIM_DINH): 49_991,
                # Three foreigners came; one of them has left, after one night.
                ("lodging.guests.international", XUAN_SON): 3,
                ("lodging.nights.total", PROVINCE): 1,
                ("lodging.in_house.total", PROVINCE): 2,
                ("lodging.declared_late", PROVINCE): 1,
                ("lodging.declared_on_time_rate", PROVINCE): pytest.approx(200 / 3),
                ("lodging.room_nights.total", PROVINCE): 31,
                ("lodging.revenue.total", PROVINCE): 39_200_000,
            },
        )
        refused = office.explain("einvoice.value.total", PROVINCE)["rejections"]
        assert [(row["feed"], row["rule"], row["events"]) for row in refused] == [
            ("tax.einvoice", "unknown_reporter", 1)
        ]

        report = office.publish(*(str(INVOICES / name) for name in LATER), status=1)
        assert (report["events"], report["accepted"], report["refused"]) == (7, 7, 1)
        wait_until_settled(settings, feeds, services)
        assert_figures(
            explainer,
            {
                # Invoice 311 of Ward 10 was replaced by 325, which was cancelled; an adjustment takes 13,340,460.
                ("einvoice.value.total", PROVINCE): 45_446 + 237_500 - 13_340_460,
                ("einvoice.value.total", WARD_10): 0,
                ("einvoice.invoices.total", WARD_10): 1,
                ("einvoice.vat.total", WARD_10): 80_000,
                ("einvoice.vat.total", PROVINCE): 4_545 - 1_334_046 + 80_000,
                ("einvoice.vat.rate_8", PROVINCE): 0,
                ("einvoice.vat.rate_10", PROVINCE): 4_545 - 1_334_046,
                ("einvoice.invoices.status_cancelled", VUNG_TAU): 1,
                ("einvoice.cancel_rate", VUNG_TAU): 50,
                ("petrol.revenue.total", PROVINCE): 49_991,
            },
        )
        explained = office.explain("einvoice.vat.total", WARD_10)
        assert [record["record"] for record in explained["records"]] == ["3590000090/1/C24TVT/320"]


def test_the_registers_become_stocks_and_publishing_them_again_changes_nothing(
    settings: Settings,
    kafka_topics: list[str],
    feeds: dict[str, Feed],
    db: psycopg.Connection,
    explainer: Explainer,
    tmp_path: Path,
) -> None:
    with (settings.profile / "reporters_lodging.csv").open(encoding="utf-8") as file:
        hotels = [row for row in csv.DictReader(file) if row["registers"] == "lodging" and not row["valid_to"]]
    open_by_then = [row for row in hotels if row["valid_from"] <= "2024-10-31"]
    office = Office(settings, tmp_path)
    office.get_token("registry.reporter", "tourism.daily_report")
    with running_services(settings, tmp_path / "log") as services:
        report = office.publish(command=("registry", "publish"))
        assert report["events"] == report["accepted"] > len(hotels)
        again = office.publish(command=("registry", "publish"))
        assert again["accepted"] == report["accepted"]
        wait_until_settled(settings, feeds, services)
        counted = db.execute("SELECT sum(consumed), sum(accepted), sum(duplicate) FROM stream_batch").fetchone()
        assert counted == (2 * report["events"], report["events"], report["events"])
        # Stocks have figures of the months that somebody reports of.
        office.publish("--received-at", "2024-10-05T18:00:00", str(DAYS), status=1)
        wait_until_settled(settings, feeds, services)
        rooms = sum(int(row["rooms"]) for row in open_by_then)
        for code, expected in (("lodging.establishments.total", len(open_by_then)), ("lodging.rooms.total", rooms)):
            assert explainer.explain(code, explainer.cell(PROVINCE, "month", OCTOBER)).value == expected
