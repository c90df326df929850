"""What files from outside once got wrong in masks, in what the sender is told, and in keys of pseudonyms."""

from __future__ import annotations

import io
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from format_reading import events_of, read_bytes
from openpyxl import Workbook
from pydantic import SecretStr
from rich.console import Console
from test_format_einvoice import data_of, invoice
from test_format_lodging import changed, sheet
from test_format_outside_files import FOREIGNER, NOW, guests, kbtt, reader

from connectors.formats.format import BadRecord
from connectors.publishing.publish import run
from connectors.publishing.report import FileResult
from connectors.publishing.sending import send
from deploy.simulator.native.lodging import same_bytes
from ioc.pseudonym import Pseudonymiser


# ---------------------------------------------------------------------------------------------- masks
@pytest.mark.parametrize("store", ["077188000123", "0909123456", "84909123456", "190200300"])
def test_a_shop_that_is_a_persons_number_leaves_as_a_pseudonym(store: str) -> None:
    content = invoice(seller=f"<MST>3590000012</MST><MCHang>{store}</MCHang>")
    assert store not in repr(read_bytes(content))
    assert data_of(content)["shop_id"].startswith("3590000012.s")


def test_a_files_name_does_not_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "evil\x1b[31m\x07.xml"
    file.write_bytes(invoice(number=""))
    out = io.StringIO()
    status = run([file], reader(), None, as_json=False, stdout=Console(file=out), stderr=Console(file=out))
    assert status == 1
    assert "\x1b" not in out.getvalue() and "\x07" not in out.getvalue()


# ---------------------------------------------------------------------------------------------- reports
class Accepting:
    """Accepts every event."""

    def publish(self, events: Any) -> Any:
        from connectors.publishing.client import DeliveryReport  # noqa: PLC0415

        yield [DeliveryReport(event["id"], accepted=True) for event in events]


def test_many_good_files_are_few_lines(tmp_path: Path) -> None:
    files = []
    for number in range(1, 700):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(invoice(number=f"<SHDon>{number}</SHDon>"))
        files.append(file)
    out = io.StringIO()
    quiet = Console(file=io.StringIO())
    assert run(files, reader(), Accepting(), as_json=False, stdout=Console(file=out, width=120), stderr=quiet) == 0
    assert len(out.getvalue().splitlines()) < 20
    assert "699" in out.getvalue()


def test_one_mistake_is_one_finding_however_its_values_vary(tmp_path: Path) -> None:
    files = []
    for number in range(1, 60):
        file = tmp_path / f"{number}.xml"
        file.write_bytes(invoice(number=f"<SHDon>{number}</SHDon>", rate=f"{10 + number}%"))
        files.append(file)
    out = io.StringIO()
    quiet = Console(file=io.StringIO())
    run(files, reader(), Accepting(), as_json=False, stdout=Console(file=out, width=400), stderr=quiet)
    assert out.getvalue().count("no such VAT rate") == 1
    assert "1C24TAA 1" in out.getvalue(), "invoices are named by series and number"
    assert str(tmp_path / "1.xml") in out.getvalue(), "and files by path"


VIETNAMESE = re.compile(r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)


def test_english_text_is_english() -> None:
    broken = [
        invoice(number=""),
        invoice(rate="7%"),
        b"<HDon>",
        sheet(changed(C="x")),
        same_bytes(Workbook()),
        b"",
        guests(gioi_tinh="K"),
    ]
    headless = kbtt(FOREIGNER)
    headless.active["C2"] = "?"
    for content in [*broken, guests(gioi_tinh="K"), same_bytes(headless)]:
        for item in read_bytes(content):
            for reason in item.reasons if isinstance(item, BadRecord) else ():
                told = re.sub(r"`[^`]*`|is headed [^;]*", "", reason.message_en)
                assert not VIETNAMESE.search(told), reason.message_en
                assert "dòng" not in reason.field


# ---------------------------------------------------------------------------------------------- keys of pseudonyms
def test_keys_rotate_with_an_overlap() -> None:
    old = Pseudonymiser("k1", SecretStr("first key"))
    new = Pseudonymiser(
        "k2", SecretStr("second key"), key_from=date(2024, 10, 6), previous=("k1", SecretStr("first key"))
    )
    before, after = date(2024, 10, 5), date(2024, 10, 6)
    assert new("cccd", "077188000123", before) == old("cccd", "077188000123"), "a correction finds its record"
    assert new("cccd", "077188000123", after).startswith("k2:")
    (event,) = events_of(guests(), pseudonymise=new)
    assert event.envelope["data"]["guest_id"].startswith("k1:")
    (event,) = events_of(guests(ngay_den="06/10/2024"), pseudonymise=new, received_at=NOW)
    assert event.envelope["data"]["guest_id"].startswith("k2:")


def test_memory_does_not_grow_with_a_file(tmp_path: Path) -> None:
    result = FileResult("x")
    bad = BadRecord("x", (read_bytes(b"")[0].reasons[0],))  # type: ignore[union-attr]
    send(result, (bad for _ in range(50_000)), Accepting())
    assert result.refused == 50_000 and len(result.refusals) == 1_000 and len(result.refused_findings) == 1
