"""A page for each feed: what its sectors may send, how a file is recognised, and what becomes of every field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.formats.field import Field
from connectors.formats.format import Format, load_formats
from deploy.documentation.example import example_files
from ioc.feeds.feed import Feed

PERSONAL_PAGE = "personal-data.md"
_MADE = "<!-- Made by `make docs` from the code; edit the code. -->"
_PERSONAL = {
    "dropped": ("không rời đầu nối", "does not leave the connector"),
    "keyed HMAC": ("chỉ còn bút danh có khóa (HMAC)", "leaves as a keyed pseudonym (HMAC)"),
    "age band": ("chỉ còn tuổi hoặc nhóm tuổi", "leaves as an age or a band of ages"),
    "area only": ("chỉ còn vùng hoặc xã", "leaves as a region or a commune"),
    "group only": ("chỉ còn nhóm, hoặc việc có hay không", "leaves as a group, or as that there is one"),
}


def format_pages(feeds: Mapping[str, Feed]) -> dict[str, str]:
    """Return the pages of `docs/feeds/` by file name: one a feed, and the one of personal data.

    Each format links to its files of `example_files`.
    """
    formats = load_formats()
    pages = {f"{feed.key}.md": _page(feed, formats) for feed in feeds.values()}
    pages[PERSONAL_PAGE] = _personal_page(formats)
    return pages


def _page(feed: Feed, formats: Mapping[str, Format]) -> str:
    own = [declared for declared in formats.values() if feed.key in declared.feeds]
    lines = [
        f"# {feed.key}",
        "",
        _MADE,
        "",
        f"{feed.name_vi} · {feed.name_en}. Bản ghi · the record: [feeds.md](../feeds.md).",
        "",
        "Gửi bằng `ioc publish`, cổng nhận hoặc thư mục thả tệp; tệp được nhận ra theo nội dung, không theo tên · "
        "Sent by `ioc publish`, the gateway or a drop directory; files are recognised by what they hold, not by name.",
    ]
    for declared in own:
        lines += ["", *_format(declared)]
        links = [
            f"[{name.rpartition('/')[2]}](examples/{name})"
            for name in example_files()
            if name.startswith(f"{declared.name}/")
        ]
        lines += ["", f"Tệp ví dụ, dữ liệu giả · example files with made-up data: {', '.join(links)}."]
    return "\n".join(lines) + "\n"


def _format(declared: Format) -> Iterator[str]:
    yield f"## {declared.name}"
    yield ""
    yield f"{declared.title_vi} · {declared.title_en}."
    yield ""
    for carrier in declared.carriers:
        yield f"- {carrier.says}"
    if declared.versions:
        yield f"- phiên bản · versions: {', '.join(declared.versions)}"
    for vi, en in zip(declared.notes_vi, declared.notes_en, strict=True):
        yield f"- {vi} · {en}"
    if not declared.fields:
        return
    yield ""
    yield "| trong tệp · in the file | thành · becomes | kiểu · type | bắt buộc · required | ghi chú · note |"
    yield "|---|---|---|---|---|"
    for field in declared.fields:
        spellings = ", ".join(f"`{spelling}`" for spelling in field.sources)
        becomes = f"`{field.name}`" if field.name else ""
        kind = field.reading.says.replace("|", "/") if field.reading else ""
        notes = "; ".join(filter(None, [" · ".join(_PERSONAL[field.personal]) if field.personal else "", field.note]))
        yield f"| {spellings} | {becomes} | {kind} | {'✓' if field.required else ''} | {notes} |"
    if any(carrier.kind == "table" for carrier in declared.carriers):
        yield ""
        yield "Tiêu đề một tệp CSV · headings of a CSV file:"
        yield ""
        yield "```"
        yield ",".join(field.sources[0] for field in declared.fields if field.reading is not None)
        yield "```"


def _personal_page(formats: Mapping[str, Format]) -> str:
    lines = [
        "# Dữ liệu cá nhân trong các định dạng · Personal data in the formats",
        "",
        _MADE,
        "",
        "Trường nào của tệp là dữ liệu cá nhân và điều gì xảy ra với nó (NĐ 13/2023/NĐ-CP). Trường không kể ở đây và "
        "không có trong bảng của định dạng thì không được đọc. · Which fields of a file are personal, and what becomes "
        "of them. A field that is neither here nor in its format's table is not read.",
        "",
        "Khóa của bút danh đổi theo ngày của bản ghi: `IOC_PSEUDONYM_KEY_FROM` là ngày đầu tiên của khóa mới; bản ghi "
        "của những ngày trước đó, kể cả khi được sửa muộn, vẫn dùng `IOC_PSEUDONYM_PREVIOUS_KEY`. · Keys change by the "
        "day of the record: from `IOC_PSEUDONYM_KEY_FROM` on the new one is used; records of earlier days, however "
        "late they are corrected, keep `IOC_PSEUDONYM_PREVIOUS_KEY`.",
        "",
        "| định dạng · format | trong tệp · in the file | điều xảy ra · what becomes of it | thành · becomes |",
        "|---|---|---|---|",
    ]
    for declared in formats.values():
        for spellings, field in _personal(declared):
            vi, en = _PERSONAL[field.personal]
            lines.append(
                f"| `{declared.name}` | {spellings} | {vi} · {en} | {f'`{field.name}`' if field.name else ''} |"
            )
    return "\n".join(lines) + "\n"


def _personal(declared: Format) -> Iterator[tuple[str, Field]]:
    for field in declared.fields:
        if field.personal:
            yield ", ".join(f"`{spelling}`" for spelling in field.sources), field
