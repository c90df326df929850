"""`make pictures`: the pages of the simulated province, as Chromium paints them, in docs/pictures/.

Not part of `make test`. Real Kafka, PostgreSQL and processes, on ports of their own. `ioc simulate` publishes for two
minutes to the gateway; then each page of `PAGES` is opened at its width and kept as WebP.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from testbed.browser import CHROMIUM, Tab, open_tab  # noqa: E402 - after the path is set
from testbed.server import free_ports, running_stack, state_directory  # noqa: E402
from testbed.service import running_services, wait_until_settled  # noqa: E402

from deploy.local.process import wait_until  # noqa: E402
from ioc.database.connection import connect  # noqa: E402
from ioc.database.migration import migrate  # noqa: E402
from ioc.feeds.feed import load_feeds  # noqa: E402
from ioc.messaging.topic import create_topics  # noqa: E402
from ioc.province.profile import load_profile, load_profile_catalogue  # noqa: E402
from ioc.province.store import load_into_database  # noqa: E402
from ioc.settings import Settings  # noqa: E402
from ioc.web.signing import Signing  # noqa: E402
from ioc.web.tokens import TokenFile  # noqa: E402

DIRECTORY = ROOT / "docs" / "pictures"
DESK, PHONE = 1080, 360
_SECONDS = 120
_QUALITY = 55  # of WebP: text stays sharp


@dataclass(frozen=True)
class Picture:
    """A page to be painted: its path (`{incident}` is an open one), width and most height in CSS pixels."""

    name: str
    path: str
    width: int = DESK
    height: int = 1100


PAGES = (
    Picture("overview", "/"),
    Picture("sector", "/sectors/lodging"),
    Picture("indicator", "/indicators/lodging.occupancy.total"),
    Picture("incident", "/incidents/{incident}"),
    Picture("morning", "/morning", PHONE, 1400),
    Picture("sending", "/sending", DESK, 1400),
)


async def paint(tab: Tab, picture: Picture, address: str) -> None:
    """Open a page and keep what it shows."""
    await tab.open(address, width=picture.width, phone=picture.width == PHONE)
    height = min(picture.height, int(await tab.evaluate("document.documentElement.scrollHeight")))
    said = await tab.call(
        "Page.captureScreenshot",
        format="webp",
        quality=_QUALITY,
        captureBeyondViewport=True,
        clip={"x": 0, "y": 0, "width": picture.width, "height": height, "scale": 1},
    )
    DIRECTORY.mkdir(exist_ok=True)
    file = DIRECTORY / f"{picture.name}.webp"
    file.write_bytes(base64.b64decode(said["data"]))
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KiB")  # noqa: T201


async def paint_all(settings: Settings, signing: Signing, token: str, incident: int) -> None:
    """Paint every page; that of the sector's engineer is opened with a token that publishes."""
    async with open_tab() as tab:
        for picture in PAGES:
            path = picture.path.format(incident=incident)
            if picture.name == "sending":
                await tab.call("Network.clearBrowserCookies")
                await tab.open(f"{settings.api_address}/enter", width=DESK)
                await tab.evaluate(f"document.querySelector('input[name=token]').value = {token!r}")
                await tab.click("form:has(input[name=token]) button")
                await paint(tab, picture, settings.api_address + path)
            else:
                await paint(tab, picture, signing.link(path, "Chủ tịch UBND tỉnh"))


def incident_of(settings: Settings) -> int | None:
    """An open incident that touches most, once the statuses have been computed."""
    with connect(settings, "owner", autocommit=True) as connection:
        row = connection.execute(
            "SELECT i.incident_id FROM incident i JOIN incident_touch USING (incident_id) WHERE closed_at IS NULL "
            "AND EXISTS (SELECT FROM indicator_status) GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchone()
    return int(row[0]) if row else None


def main() -> None:
    """Run the province, and paint it."""
    if CHROMIUM is None:
        raise SystemExit("there is no Chromium: `make browser` installs Debian's")
    feeds, profile = load_feeds(), load_profile(Settings(_env_file=None).profile)
    with state_directory() as directory, tempfile.TemporaryDirectory() as logs:
        ports = free_ports(8)
        names = ("db_port", "gateway_port", "api_port", "worker_port", "rollup_port", "scheduler_port")
        settings = Settings(
            _env_file=None,
            state_dir=directory,
            token_file=directory / "tokens.json",
            kafka_bootstrap=f"127.0.0.1:{ports[6]}",
            kafka_controller_port=ports[7],
            kafka_partitions=3,
            api_rate=1000.0,
            api_burst=1000.0,
            **dict(zip(names, ports, strict=False)),
        )
        settings.token_file.unlink(missing_ok=True)
        with running_stack(settings):
            migrate(settings, feeds.values())
            load_into_database(settings, profile, load_profile_catalogue(settings.profile, feeds))
            create_topics(settings, feeds)
            with running_services(settings, Path(logs)) as services:
                ioc = str(Path(sys.executable).with_name("ioc"))
                subprocess.run(
                    [ioc, "simulate", "--seconds", str(_SECONDS), "--rate", "200", "--day-seconds", "7", "--seed", "1"],
                    check=True,
                    env=settings.to_environment(),
                    stdout=subprocess.DEVNULL,
                )
                wait_until_settled(settings, feeds, services)
                if not wait_until(lambda: incident_of(settings) is not None, 180, poll=1.0):
                    raise SystemExit("no incident has opened")
                incident = incident_of(settings)
                assert incident is not None
                _, token = TokenFile(settings.token_file).create("PMS khách sạn", ["tourism.stay"], ["*"])
                asyncio.run(paint_all(settings, Signing(settings), token, incident))


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("IOC_")]:
        del os.environ[name]
    os.environ["IOC_ENV_FILE"] = ""
    main()
