"""`ioc profile load|show`."""

from __future__ import annotations

from collections import Counter

import typer

from ioc.command.output import AsJson, show_rows
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("load")
def load_command(as_json: AsJson = False) -> None:
    """Nạp hồ sơ và danh mục vào cơ sở dữ liệu; chạy lại không đổi gì · Bring the database to the profile and its
    catalogue; running it again changes nothing.
    """
    settings = Settings()
    loaded = load_into_database(
        settings,
        load_profile(settings.profile),
        load_profile_catalogue(settings.profile, load_feeds()),
    )
    row = {
        "areas": loaded.areas,
        "units_changed": loaded.units_changed,
        "reporters": loaded.reporters,
        **vars(loaded.catalogue),
        **{f"targets_{name}": count for name, count in vars(loaded.targets).items()},
    }
    show_rows([row], as_json=as_json, title="Đã nạp · loaded")
    if loaded.units_changed and not as_json:
        typer.echo(
            "Địa bàn đã thay đổi: khởi động lại worker, rồi chạy `ioc rebuild --recount` để đếm lại.\n"
            "Units have changed. Start the workers again, then `ioc rebuild --recount` counts what is stored where the "
            "units are now."
        )
    if loaded.catalogue.waiting and not as_json:
        typer.echo(
            f"{loaded.catalogue.waiting} chỉ tiêu đang chờ, vì nguồn của chúng đã có bản ghi: "
            "`ioc catalogue diff database` cho biết gì khác; `ioc rebuild` tính lại, cho xem thay đổi rồi thay một lúc."
            f"\n{loaded.catalogue.waiting} indicators wait beside the live ones: their feeds hold records already. "
            "`ioc catalogue diff database` tells what changes; `ioc rebuild` computes them and shows what moves."
        )


@app.command("show")
def show_command(as_json: AsJson = False) -> None:
    """Hiện nội dung hồ sơ tỉnh · Show what the profile holds."""
    profile = load_profile(Settings().profile)
    reporters = Counter(reporter.feed for reporter in profile.reporters)
    rows = [
        {"what": f"areas, {level}", "rows": n} for level, n in Counter(a.level for a in profile.areas.areas).items()
    ]
    rows += [{"what": f"reporters of {feed}", "rows": n} for feed, n in sorted(reporters.items())]
    show_rows(rows, as_json=as_json, title=f"{profile.name_vi} · {profile.name_en}")
