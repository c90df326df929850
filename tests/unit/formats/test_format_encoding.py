"""Text from before Unicode: read where its encoding is declared, or shown beyond doubt; else refused with advice."""

from __future__ import annotations

import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from format_reading import FORMATS, context, read_bytes, rules_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_format_einvoice import invoice
from test_format_outside_values import COLUMNS, as_csv, row

from connectors.formats.format import BadRecord, Event
from connectors.formats.readers import legacy_text
from connectors.formats.readers.source import CHUNK, bytes_source, text_chunks
from connectors.formats.recognition import Recognised, files_of, read_document, recognise
from ioc.errors import RejectedError

WORDS = (
    "Bình Giã, Long Điền, Đất Đỏ, Xuyên Mộc, Châu Đức, phường Thắng Tam, xã Bưng Riềng, giường bệnh, người dân, "
    "khách sạn, nước ngoài, quý hai, số liệu báo cáo, tỷ lệ phần trăm, nghìn đồng, huỷ bỏ, chuyển khoản, "
    "thuốc trừ sâu, giảm nghèo, quá hạn, uỷ ban, khuya, ngoằn ngoèo, nguyễn, huỳnh, yêu cầu, "
    "hoãn, quyết định, ở, ứng dụng"
)
# What typing software of the time wrote: mark behind the vowel, in the sign that the font draws as the mark.
VNI_MARKS = {"\u0301": "ù", "\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}
VNI_CIRCUMFLEX = {"\u0301": "á", "\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0323": "ä", "": "â"}
VNI_BREVE = {"\u0301": "é", "\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë", "": "ê"}
VNI_I = {"\u0301": "í", "\u0300": "ì", "\u0309": "æ", "\u0303": "ó", "\u0323": "ò", "": "i"}


def vni(text: str) -> bytes:
    """Text in VNI-Windows, written by its rule: vowel, then the sign of its marks."""
    out = []
    for letter in unicodedata.normalize("NFC", text):
        marks = unicodedata.normalize("NFD", letter)
        tone = next((mark for mark in marks if mark in VNI_MARKS), "")
        stem = unicodedata.normalize("NFC", marks.replace(tone, "")) if tone else letter
        low = stem.lower()
        if low == "i":
            new = VNI_I[tone]
        elif low == "y" and tone == "\u0323":
            new = "î"
        elif low in "âêô":
            new = unicodedata.normalize("NFD", low)[0] + VNI_CIRCUMFLEX[tone]
        elif low == "ă":
            new = "a" + VNI_BREVE[tone]
        else:
            new = {"ơ": "ô", "ư": "ö", "đ": "ñ"}.get(low, low) + VNI_MARKS.get(tone, "")
        out.append(new.upper() if stem.isupper() else new)
    return "".join(out).encode("cp1252")


def windows(text: str) -> bytes:
    """Text in code page 1258, which has the tones as marks behind their vowels."""
    out = b""
    for letter in text:
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            marks = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in marks if mark in VNI_MARKS)
            out += (unicodedata.normalize("NFC", marks.replace(tone, "")) + tone).encode("cp1258")
    return out


def by_table(text: str, encoding: str) -> bytes:
    """Text in an encoding of one byte a letter, by the system's own iconv."""
    known = {"tcvn3": "TCVN", "viscii": "VISCII"}[encoding]
    run = subprocess.run(["iconv", "-f", "UTF-8", "-t", known], input=text.encode(), capture_output=True, check=True)
    return run.stdout


WRITERS: dict[str, Callable[[str], bytes]] = {
    "windows-1258": windows,
    "vni": vni,
    "tcvn3": lambda text: by_table(text, "tcvn3"),
    "viscii": lambda text: by_table(text, "viscii"),
}


def read_declared(data: bytes, charset: str) -> list[object]:
    """What a file gives whose sender declares an encoding beside it."""
    where, found = context(), []
    try:
        for source in files_of(replace(bytes_source("sample", data), charset=charset)):
            assert not isinstance(source, RejectedError)
            for one in recognise(source, FORMATS):
                assert isinstance(one, Recognised)
                found += [item.envelope if isinstance(item, Event) else item for item in read_document(one, where)]
    except RejectedError as error:
        found.append(BadRecord("sample", error.reasons))
    return found


def table() -> str:
    """A report with Vietnamese headings and periods, and a column of names that nobody reads."""
    head = ";".join(
        ["Địa phương", "Mã đơn vị báo cáo", "Mã chỉ tiêu", "Mã địa bàn", "Kỳ báo cáo", "Giá trị", "Ghi chú"]
    )
    agency, indicator, area, period, value = (row()[COLUMNS.index(name)] for name in _NAMES)
    assert period == "2024-09"
    return f"{head}\r\nXuyên Mộc;{agency};{indicator};{area};Tháng 9/2024;{value};đã kiểm tra, số liệu tạm tính\r\n"


_NAMES = ("agency", "indicator", "area_code", "period_label", "value")


@pytest.mark.parametrize("encoding", WRITERS)
def test_a_text_whose_encoding_is_declared_is_the_same_text(encoding: str) -> None:
    lower = encoding == "tcvn3"  # its capitals with tones are another font's, not other letters
    text = WORDS.lower() if lower else WORDS + WORDS.upper()
    source = replace(bytes_source("x", WRITERS[encoding](text)), charset=encoding)
    assert "".join(text_chunks(source)) == text


@pytest.mark.parametrize("encoding", WRITERS)
def test_a_table_whose_encoding_is_declared_gives_the_same_records(encoding: str) -> None:
    text = table().lower() if encoding == "tcvn3" else table()
    told = read_declared(WRITERS[encoding](text), encoding)
    assert told == read_declared(text.encode(), "")
    assert isinstance(told[0], dict)


def test_an_archive_hands_its_declaration_on() -> None:
    from test_format_outside_writers import packed  # noqa: PLC0415 - of two modules each takes from the other

    content = by_table(table().lower(), "tcvn3")
    assert read_declared(packed(("a.csv", content)), "TCVN3") == read_declared(table().lower().encode(), "")


def test_windows_1258_is_read_where_nobody_declares_it() -> None:
    assert [item.envelope for item in read_bytes(windows(table())) if isinstance(item, Event)] == read_declared(
        table().encode(), ""
    )


@pytest.mark.parametrize("encoding", ["tcvn3", "viscii", "vni"])
def test_the_others_are_refused_by_name_with_what_to_do(encoding: str) -> None:
    (bad,) = read_bytes(WRITERS[encoding](table().lower()))
    assert isinstance(bad, BadRecord)
    assert [reason.rule for reason in bad.reasons] == ["old_encoding"]
    assert encoding in bad.reasons[0].message_vi and encoding in bad.reasons[0].message_en


@pytest.mark.parametrize("declared", ["windows-1258", "WINDOWS-1258", "cp1258", "TCVN-5712", "viscii", "vni"])
def test_xml_declares_its_own_encoding(declared: str) -> None:
    encoding = legacy_text.named_encoding(declared)
    name = "công ty thử nghiệm đất đỏ"
    text = invoice().decode().replace("<THHDVu>", f"<THHDVu>{name} ", 1)
    prolog = f'<?xml version="1.0" encoding="{declared}"?>'
    told = read_bytes((prolog + text).encode("ascii", "xmlcharrefreplace"))
    assert read_bytes(prolog.encode() + WRITERS[encoding](text)) == told
    assert all(isinstance(item, Event) for item in told)


@pytest.mark.parametrize("charset", ["", "windows-1258", "tcvn3", "iso-8859-1"])
def test_what_is_utf8_is_utf8_whatever_is_declared(charset: str) -> None:
    assert read_declared(table().encode(), charset) == read_declared(table().encode(), "")


def test_utf8_that_is_broken_somewhere_is_not_read_as_something_else() -> None:
    content = table().encode().replace("ã kiểm".encode(), b"\xc3 ki\xe1\xbb\x83m")
    assert rules_of(content) == [("", "encoding")]
    (bad,) = read_declared(content, "windows-1258")
    assert isinstance(bad, BadRecord), "a declaration does not mend it"


def test_a_western_declaration_of_vietnamese_bytes_is_doubted() -> None:
    """Programs of the nineties declare the code page of their machine, whatever the font showed."""
    (bad,) = read_declared(by_table(table().lower(), "tcvn3"), "windows-1252")
    assert isinstance(bad, BadRecord) and bad.reasons[0].rule == "old_encoding"
    content = as_csv(row()).replace(b"\n", ";Khách Müller\n".encode("cp1252"), 1)
    assert read_declared(content, "windows-1252") == read_declared(as_csv(row()), "")
    assert rules_of(content) == [("", "encoding")], "too few words show an encoding"


@settings(max_examples=60, deadline=None)
@given(st.integers(-40, 40), st.sampled_from(["windows-1258", "vni"]))
def test_a_mark_may_lie_on_the_other_side_of_a_piece(shift: int, encoding: str) -> None:
    text = "x" * (CHUNK + shift) + " người dân xã Bưng Riềng" * 4
    source = replace(bytes_source("x", WRITERS[encoding](text)), charset=encoding)
    assert "".join(text_chunks(source)) == text


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([*WRITERS, "", "utf-8", "windows-1252", "klingon"]))
def test_any_bytes_are_text_or_refused(data: bytes, charset: str) -> None:
    try:
        "".join(text_chunks(replace(bytes_source("x", data), charset=charset)))
    except RejectedError as error:
        assert error.reasons[0].message_vi and error.reasons[0].message_en
