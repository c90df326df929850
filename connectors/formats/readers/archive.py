"""A ZIP of many files: each member is read as a file of its own, within bounds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from connectors.formats.findings import refused
from connectors.formats.readers.source import CHUNK, Source, spooled_source, unreadable_archive
from ioc.errors import RejectedError

MAX_MEMBERS = 20_000
MAX_UNPACKED = 2 * 2**30
# No text of this kind packs better than this; a bomb does.
MAX_RATIO = 400
_OF_SYSTEM = (".ds_store", "thumbs.db", "desktop.ini")


def open_archive(source: Source) -> Iterator[Source | RejectedError]:
    """Yield the members, one open at a time; one that cannot be read is an error in its place."""
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            members = [
                member for member in archive.infolist() if not member.is_dir() and not _is_of_system(member.filename)
            ]
            _check(source, members)
            for member in members:
                name = f"{source.name}/{member.filename}"
                try:
                    with archive.open(member) as content:
                        chunks = iter(lambda content=content: content.read(CHUNK), b"")  # type: ignore[misc]
                        yield spooled_source(name, chunks, source.charset)
                except RejectedError as rejected:
                    yield rejected
                except Exception:  # zipfile raises errors of many kinds on broken and encrypted members
                    broken = unreadable_archive()
                    yield RejectedError(
                        [reason.model_copy(update={"field": member.filename}) for reason in broken.reasons]
                    )
    except (zipfile.BadZipFile, OSError, ValueError):
        raise unreadable_archive() from None


def _is_of_system(name: str) -> bool:
    """Return whether a member is what a system leaves beside files: how icons lie, thumbnails, resource forks."""
    *folders, last = name.replace("\\", "/").split("/")
    return "__MACOSX" in folders or last.startswith("._") or last.lower() in _OF_SYSTEM


def _check(source: Source, members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(source.size, 2**16):
        raise refused(
            "",
            "archive_too_large",
            f"tệp .zip có hơn {MAX_MEMBERS:,} tệp hoặc giải nén quá lớn; hãy chia nhỏ",
            f"the .zip holds more than {MAX_MEMBERS:,} files or unpacks to too much; split it",
        )
    if not members:
        raise refused("", "empty", "tệp .zip không chứa tệp nào", "the .zip holds no files")
