"""Large files through `ioc publish` and the gateway: how fast, and with how much memory, to the last answer.

The files are made beforehand: a CSV of visits of apps, a row each, and an e-invoice message (XML) with many invoices.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from bench.bed import Bed
from bench.drain import services
from bench.memory import MemoryTrace
from ioc.errors import FatalError
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

_ROWS, _QUICK_ROWS = 1_000_000, 20_000
_XML_BYTES, _QUICK_XML_BYTES = 200 * 2**20, 4 * 2**20
_GOODS = 25
_SAMPLE_SECONDS = 0.25
_TIMEOUT = 3600.0
_UNBOUNDED = 1e9
_FIRST = datetime.fromisoformat("2024-10-01T00:00:00+07:00")


class PublishedFiles:
    """Rows and MiB a second of large files, and the memory of the command and of the gateway meanwhile."""

    name = "publish"
    title = "Large files through ioc publish"
    every_round = False

    def prepare(self, bed: Bed) -> None:
        """Nothing: the files are written when they are sent."""

    def measure(self, bed: Bed) -> Mapping[str, float]:
        bed.site.preload("publish", ())
        directory = bed.site.settings.state_dir / "files"
        directory.mkdir(exist_ok=True)
        values: dict[str, float] = {}
        with bed.site.fresh(topic_prefix="publish") as given:
            settings = given.model_copy(update={"gateway_rate": _UNBOUNDED, "gateway_burst": _UNBOUNDED})
            with services(settings, "gateway") as started:
                started["gateway"].wait_ready()
                for name, file in (
                    ("csv", write_csv(directory / "visits.csv", _QUICK_ROWS if bed.quick else _ROWS)),
                    ("xml", write_xml(directory / "invoices.xml", _QUICK_XML_BYTES if bed.quick else _XML_BYTES)),
                ):
                    seconds, events, trace = _publish(file, settings)
                    values |= {
                        f"publish_{name}_mib": file.stat().st_size / 2**20,
                        f"publish_{name}_events": events,
                        f"publish_{name}_events_s": events / seconds,
                        f"publish_{name}_rss_mib": trace.peak,
                        f"publish_{name}_rss_growth": trace.growth,
                    }
                    file.unlink()
        return values


def write_csv(file: Path, rows: int) -> Path:
    """Write so many visits of the province's app, two a second from October 2024 on."""
    with file.open("w", encoding="utf-8") as out:
        out.write("operator,kind,item_id,at,app,user_id\n")
        for number in range(rows):
            moment = (_FIRST + timedelta(seconds=number // 2)).isoformat()
            out.write(f"brvt-smart,visit,s-{number},{moment},brvt_smart,u-{number % 40_000}\n")
    return file


def write_xml(file: Path, size: int) -> Path:
    """Write a message of at least `size` bytes: invoices of one seller, each with 25 lines of goods."""
    goods = "".join(
        f"<HHDVu><TChat>1</TChat><STT>{line}</STT><THHDVu>Hàng mẫu số {line}</THHDVu><DVTinh>Cái</DVTinh>"
        "<SLuong>1</SLuong><DGia>1000</DGia><ThTien>1000</ThTien><TSuat>10%</TSuat></HHDVu>"
        for line in range(1, _GOODS + 1)
    )
    net, vat = 1000 * _GOODS, 100 * _GOODS
    totals = (
        f"<TToan><THTTLTSuat><LTSuat><TSuat>10%</TSuat><ThTien>{net}</ThTien><TThue>{vat}</TThue></LTSuat></THTTLTSuat>"
        f"<TgTCThue>{net}</TgTCThue><TgTThue>{vat}</TgTThue><TgTTTBSo>{net + vat}</TgTTTBSo></TToan>"
    )
    number = written = 0
    with file.open("w", encoding="utf-8") as out:
        written += out.write("<TDiep><TTChung><MLTDiep>203</MLTDiep></TTChung><DLieu>")
        while written < size:
            number += 1
            written += out.write(
                f"<HDon><DLHDon><TTChung><KHMSHDon>1</KHMSHDon><KHHDon>K24TAA</KHHDon><SHDon>{number}</SHDon>"
                "<NLap>2024-10-05</NLap></TTChung><NDHDon><NBan><MST>3590000012</MST></NBan><NMua/>"
                f"<DSHHDVu>{goods}</DSHHDVu>{totals}</NDHDon></DLHDon></HDon>\n"
            )
        out.write("</DLieu></TDiep>")
    return file


def _publish(file: Path, settings: Settings) -> tuple[float, int, MemoryTrace]:
    """Return seconds, accepted events and the command's memory; raises FatalError unless all were accepted."""
    _, secret = TokenFile(settings.token_file).create(file.stem, feeds=["app.usage", "tax.einvoice"], reporters=["*"])
    command = (Path(sys.executable).with_name("ioc"), "publish", file, "--token", secret, "--json")
    report, errors = file.with_suffix(".json"), file.with_suffix(".log")
    trace, begin = MemoryTrace(), time.monotonic()
    with report.open("wb") as out, errors.open("wb") as log:
        running = subprocess.Popen(command, stdout=out, stderr=log, env=settings.to_environment())
        try:
            while running.poll() is None:
                trace.sample(running.pid)
                if time.monotonic() - begin > _TIMEOUT:
                    raise FatalError(f"ioc publish {file} took more than {_TIMEOUT:,.0f} s")
                time.sleep(_SAMPLE_SECONDS)
        finally:
            running.kill()
    told = json.loads(report.read_bytes() or b"{}")
    if running.returncode or not told.get("accepted") or told["accepted"] != told["events"]:
        raise FatalError(f"ioc publish {file}: exit {running.returncode}; {errors.read_text()[-1000:]}")
    return time.monotonic() - begin, int(told["accepted"]), trace
