"""Files that hold data in no form that is read, by how they begin or what lies in them, and what to do instead."""

from __future__ import annotations

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# First bytes -> (rule, advice in Vietnamese, in English) of files that hold data in no readable form.
ADVICE: tuple[tuple[bytes, str, str, str], ...] = (
    (
        _OLE,
        "old_excel",
        "tệp Excel kiểu cũ (.xls) hoặc có mật khẩu; hãy mở và lưu lại dạng .xlsx không mật khẩu",
        "an old Excel file (.xls) or one with a password; open it and save it as .xlsx without a password",
    ),
    (
        b"%PDF",
        "pdf",
        "tệp PDF không đọc được thành dữ liệu; hãy xuất XML, XLSX, CSV hoặc JSON",
        "a PDF holds no data that can be read; export XML, XLSX, CSV or JSON",
    ),
    (
        b"{\\rtf",
        "word",
        "tệp văn bản Word (RTF); hãy lưu bảng dữ liệu dạng .xlsx hoặc .csv",
        "a text of a word processor (RTF); save its table as .xlsx or .csv",
    ),
    *(
        (
            magic,
            "image",
            "tệp ảnh không đọc được thành dữ liệu; hãy xuất XML, XLSX, CSV hoặc JSON",
            "a picture holds no data that can be read; export XML, XLSX, CSV or JSON",
        )
        for magic in (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")
    ),
    (b"\x1f\x8b", "compressed", "tệp nén gzip; hãy giải nén trước khi gửi", "a gzip file; unpack it first"),
    (
        b"Rar!",
        "compressed",
        "tệp nén RAR; hãy giải nén, hoặc nén lại dạng .zip",
        "a RAR archive; unpack it, or pack it as .zip",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "compressed",
        "tệp nén 7z; hãy giải nén, hoặc nén lại dạng .zip",
        "a 7z archive; unpack it, or pack it as .zip",
    ),
)
# Part of a ZIP that shows another kind of document -> advice.
OTHER_DOCUMENTS = {
    "word/document.xml": (
        "word",
        "tệp văn bản Word; hãy lưu bảng dữ liệu dạng .xlsx hoặc .csv",
        "a text of a word processor; save its table as .xlsx or .csv",
    ),
    "xl/workbook.bin": (
        "old_excel",
        "tệp Excel nhị phân (.xlsb); hãy mở và lưu lại dạng .xlsx",
        "a binary Excel file (.xlsb); open it and save it as .xlsx",
    ),
    "META-INF/manifest.xml": (
        "open_document",
        "tệp OpenDocument (.ods, .odt); hãy mở và lưu lại dạng .xlsx",
        "an OpenDocument file (.ods, .odt); open it and save it as .xlsx",
    ),
}
