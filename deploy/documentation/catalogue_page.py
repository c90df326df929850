"""The catalogue as pages: an index, and a page a sector with every indicator's definition, target and source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import groupby

from deploy.documentation.definition import define
from deploy.documentation.reference import NOTE
from deploy.documentation.words import BREAKDOWNS, CADENCES, DIRECTIONS, KINDS, LEVELS
from ioc.catalogue import Catalogue, Compiled, Indicator, compile_measures
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

INDEX = "README.md"
# Measures with at least so many rows have a table of their own; the others share one.
OWN_TABLE = 3
_Attributes = dict[str, str]


@cache
def catalogue_pages() -> Mapping[str, str]:
    """Return the pages of the default profile's catalogue by file name: `README.md` and `<sector>.md`."""
    feeds = load_feeds()
    catalogue = load_profile_catalogue(Settings.model_fields["profile"].default, feeds)
    compiled = compile_measures(catalogue)
    pages = {INDEX: _index(catalogue)}
    for sector in catalogue.sectors:
        pages[f"{sector}.md"] = _sector_page(sector, catalogue, compiled, feeds)
    return pages


def _index(catalogue: Catalogue) -> str:
    kinds = {sector: Counter(found.kind for found in catalogue.of_sector(sector)) for sector in catalogue.sectors}
    lines = [
        f"# {catalogue.name_vi} · {catalogue.name_en}",
        "",
        NOTE,
        "",
        *_statement(catalogue),
        "",
        f"{_dots(len(catalogue.indicators))} chỉ tiêu, mỗi lĩnh vực một trang. Định dạng của danh mục và các quyết "
        "định khi xây dựng: [catalogue.md](../catalogue.md).",
        "",
        f"{len(catalogue.indicators):,} indicators, a page a sector. The format of the catalogue and the decisions "
        "behind it: [catalogue.md](../catalogue.md).",
        "",
        "## Lĩnh vực · Sectors",
        "",
        f"| lĩnh vực · sector | {' | '.join(f'{vi}<br>{en}' for vi, en in KINDS.values())} | tổng<br>all |",
        f"|---|{'---:|' * (len(KINDS) + 1)}",
    ]
    for key, sector in catalogue.sectors.items():
        lines.append(f"| [{sector.name_vi}]({key}.md)<br>{sector.name_en} {_counts(kinds[key])}")
    lines += [f"| **tổng · all** {_counts(sum(kinds.values(), Counter()))}", "", *_READING]
    return "\n".join(lines) + "\n"


def _counts(kinds: Counter[str]) -> str:
    return "".join(f"| {kinds[kind] or ''} " for kind in KINDS) + f"| {_dots(kinds.total())} |"


_READING = (
    "## Cách đọc · How to read",
    "",
    "* **Mã · Code** không đổi và không dùng lại; `lĩnh vực.chỉ tiêu` hoặc `lĩnh vực.chỉ tiêu.thành phần`. "
    "A code never changes and is never reused.",
    "* **Cách tính · Definition**: bằng lời, rồi bằng SQL trên bảng bản ghi của nguồn; `:from` và `:to` là ngày đầu và "
    "ngày cuối của kỳ (kỳ đang chạy: đến ngày mới nhất). Mỗi địa bàn tính trên bản ghi của mình và các địa bàn trực "
    "thuộc. In words, then as SQL over the feed's record table; `:from` and `:to` are the first and last day of the "
    "period (of a running one, the latest day). Each area counts its own records and those of the areas below.",
    "* **Công thức · Formula**: tính trên số đã cộng của chính địa bàn và kỳ đó, không lấy trung bình của các tỷ lệ; "
    "mẫu số bằng 0 thì không có số. Of the sums of that very area and period, never a mean of ratios; where the "
    "denominator is 0 there is no figure.",
    "* **Loại · Kind**: "
    "số phát sinh (flow) là tổng trong kỳ; số hiện có (stock) là số tại ngày cuối kỳ; số không trùng lặp (distinct) "
    "là số đối tượng khác nhau trong kỳ, không cộng theo địa bàn hay thời gian; tỷ lệ (ratio) và bình quân (average) "
    "tính từ các tổng; số liệu báo cáo (reported) do cơ quan gửi. A flow is the period's sum, a stock what exists on "
    "its last day, a distinct the number of different members, never added; ratios and averages are made of sums; "
    "reported values are sent by agencies ([how they count](../catalogue-reported.md)).",
    "* **Mục tiêu · Target** chỉ có khi một văn bản đặt ra: giá trị, thời hạn (không có là trách nhiệm thường xuyên), "
    "nguồn. Only where a document sets one: value, day (none: a permanent one), source. `target:` mục tiêu công bố "
    "hoặc nghĩa vụ theo luật, a public target or legal duty; `limit:` ngưỡng kỹ thuật, a technical limit; `max:` điểm "
    "tối đa, the highest score there is; `benchmark:` mức từng đạt được, a figure once reached. Hai loại sau không "
    "phải mục tiêu; the last two are no targets.",
    "* **Cơ sở · Basis**: `press:` báo chí, ngày hoặc năm đưa tin (trong tỉnh hoặc tỉnh khác), a press report of that "
    "day or year, here or in another province; `report:` báo cáo của cơ quan nhà nước, a report of an administration; "
    "`law:` luật, nghị định, thông tư; `set:` bộ chỉ số công khai, a public indicator set; `std:` tiêu chuẩn quốc tế, "
    "an international standard; `design` do dự án đặt, ours; "
    "`design:breakdown` cách phân tổ do dự án chọn, the choice of the breakdown is ours.",
    "* **Chủ trì · Owner**: cơ quan chịu trách nhiệm, cơ quan đầu tiên chủ trì. Who answers for it, the first in the "
    "lead.",
)


def _sector_page(key: str, catalogue: Catalogue, compiled: Compiled, feeds: Mapping[str, Feed]) -> str:
    sector, indicators = catalogue.sectors[key], catalogue.of_sector(key)
    kinds = Counter(found.kind for found in indicators)
    used = sorted({feed for found in indicators for feed in compiled.feeds(found.code)})
    lines = [
        f"# {sector.name_vi} · {sector.name_en}",
        "",
        NOTE,
        "",
        *_statement(catalogue),
        "",
        f"[Mục lục và cách đọc · Index and how to read]({INDEX})",
        "",
        f"{len(indicators)} chỉ tiêu · indicators: "
        + ", ".join(f"{kinds[kind]} {vi} ({en})" for kind, (vi, en) in KINDS.items() if kinds[kind])
        + ".",
        "",
        "Nguồn · Feeds: " + "; ".join(f"`{name}` {feeds[name].name_vi} ({feeds[name].name_en})" for name in used) + ".",
    ]
    families = _families(indicators)
    alone = [found for rows in families if len(rows) < OWN_TABLE for found in rows]
    for rows in families:
        if len(rows) >= OWN_TABLE:
            lines += ["", f"## `{_measure_of(rows[0])}`", *_tables(rows, catalogue, feeds)]
    if alone:
        many = len(alone) < len(indicators)
        title = "Các chỉ tiêu khác · Other indicators" if many else "Các chỉ tiêu · Indicators"
        lines += ["", f"## {title}", *_attributes_line(_common(alone, catalogue)), ""]
        lines += _table(alone, _common(alone, catalogue), catalogue, feeds)
    return "\n".join(lines) + "\n"


def _tables(rows: list[Indicator], catalogue: Catalogue, feeds: Mapping[str, Feed]) -> list[str]:
    """Return a measure's tables: the total first, then a table for each dimension it is broken down by."""
    common = _common(rows, catalogue)
    lines = _attributes_line(common)
    for dimension, part in groupby(sorted(rows, key=_dimension_order(rows)), lambda found: found.breakdown):
        if dimension:
            vi, en = BREAKDOWNS.get(dimension, (dimension, dimension))
            lines += ["", f"**Theo {vi}** · by {en} (`{dimension}`)"]
        lines += ["", *_table(list(part), common, catalogue, feeds)]
    return lines


def _families(indicators: Iterable[Indicator]) -> list[list[Indicator]]:
    """Return the rows measure by measure, as the file first names them."""
    families: dict[str, list[Indicator]] = {}
    for found in indicators:
        families.setdefault(_measure_of(found), []).append(found)
    return list(families.values())


def _dimension_order(rows: list[Indicator]) -> Callable[[Indicator], int]:
    """Return the rank of a row's dimension: none first, then as the file first names them."""
    order = list(dict.fromkeys(["", *(found.breakdown for found in rows)]))
    return lambda found: order.index(found.breakdown)


def _table(
    rows: Iterable[Indicator], common: _Attributes, catalogue: Catalogue, feeds: Mapping[str, Feed]
) -> list[str]:
    lines = ["| mã · code | tên · name | cách tính · definition | thuộc tính · attributes |", "|---|---|---|---|"]
    for found in rows:
        definition = define(found, catalogue, feeds)
        own = {name: text for name, text in _attributes(found, catalogue).items() if name not in common}
        cells = (
            f"`{found.code}`",
            f"**{found.name_vi}**<br>{found.name_en}",
            f"{definition.vi}<br>{definition.en}<br>`{definition.sql}`",
            "<br>".join(f"{name}: {text}" for name, text in own.items()),
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def _attributes_line(common: _Attributes) -> list[str]:
    return ["", " · ".join(f"**{name}**: {text}" for name, text in common.items())] if common else []


def _common(rows: list[Indicator], catalogue: Catalogue) -> _Attributes:
    """Return the attributes that all rows share, so that they are told once; a target is always told at its row."""
    sheets = [_attributes(found, catalogue) for found in rows]
    return {
        name: text
        for name, text in sheets[0].items()
        if name != _TARGET and all(sheet.get(name) == text for sheet in sheets)
    }


_TARGET = "**mục tiêu · target**"


def _attributes(found: Indicator, catalogue: Catalogue) -> _Attributes:
    """Return what is told beside name and definition, by its label."""
    unit_en = catalogue.units[found.unit]
    sheet = {
        "đơn vị · unit": found.unit if unit_en == found.unit else f"{found.unit} ({unit_en})",
        "loại · kind": _pair(KINDS[found.kind]),
        "chu kỳ · cadence": _pair(CADENCES[found.cadence]),
        "chiều tốt · direction": _pair(DIRECTIONS[found.direction]),
        "cấp · levels": f"{', '.join(LEVELS[level][0] for level in found.levels)} ({', '.join(found.levels)})",
        "chủ trì · owner": "; ".join(f"{owner} ({catalogue.owners[owner]})" for owner in found.owners),
        "cơ sở · basis": found.basis,
    }
    if found.decimals and found.kind != "reported":
        sheet["làm tròn · rounded to"] = f"{found.decimals} chữ số thập phân (decimals)"
    return _target(found) | sheet


def _target(found: Indicator) -> _Attributes:
    source = found.definition["target_source"]
    if found.target is None:
        return {"ghi chú · note": source} if source else {}
    target = found.target
    sign = {">=": "≥", "<=": "≤"}[target.op]
    value = f"{target.value:g}" if target.value % 1 else f"{target.value:.0f}"
    day = f" đến · by {target.on:%d/%m/%Y}" if target.on else " (thường xuyên · permanent)"
    return {_TARGET: f"**{sign} {value}**{day} ({source})"}


def _statement(catalogue: Catalogue) -> list[str]:
    return [f"> **{catalogue.statement_vi}**", ">", f"> {catalogue.statement_en}"]


def _measure_of(found: Indicator) -> str:
    return ".".join(found.code.split(".")[:2])


def _pair(words: tuple[str, str]) -> str:
    return f"{words[0]} ({words[1]})"


def _dots(number: int) -> str:
    return f"{number:,}".replace(",", ".")
