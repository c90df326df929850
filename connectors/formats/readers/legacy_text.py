"""Vietnamese text from before Unicode: the four encodings that programs of the country wrote, and which one a text is.

One byte is one letter, a mark, or (VNI) a letter's mark behind it. Everything comes out composed (NFC), so that `ế` is
one character whatever encoded it. Sources: code page 1258 of Microsoft, TCVN 5712:1993, RFC 1456 (VISCII), and the
table of VNI-Windows.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator

WINDOWS, TCVN3, VISCII, VNI = "windows-1258", "tcvn3", "viscii", "vni"
VIETNAMESE = (WINDOWS, TCVN3, VISCII, VNI)
WESTERN = "windows-1252"
SINGLE_BYTE = (*VIETNAMESE, WESTERN)
UTF_8 = "utf-8"

_NAMES = {
    UTF_8: "utf-?8|us-ascii|ascii",
    "utf-16": "utf-?16(-?le|-?be)?",
    WINDOWS: "windows-?1258|cp-?1258|1258",
    TCVN3: "tcvn-?3|tcvn(-?5712)?([-:].*)?|x-viet-tcvn.*|abc",
    VISCII: "viscii.*|x-viscii.*|csviscii",
    VNI: "vni|x-viet-vni|vni-?win(dows)?",
}
_KNOWN = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _NAMES.items()]
_OF_THE_WEST = re.compile(r"iso-?8859-?(1|15)|latin-?1|windows-?1252|cp-?1252", re.IGNORECASE)

_HIGH = range(0x80, 0x100)
# From 0x80 on; 0xA0 is the blank that does not break.
_OF_TCVN3 = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u00a0ĂÂÊÔƠƯĐăâêôơưđẶ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíị"
    "òỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_OF_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
# VISCII's capitals that did not fit above 0x80 lie among the control characters.
_LOW_OF_VISCII = {0x02: "Ẳ", 0x05: "Ẵ", 0x06: "Ẫ", 0x14: "Ỷ", 0x19: "Ỹ", 0x1E: "Ỵ"}
# The sign that stands behind a vowel -> the marks that it means; a few are letters by themselves.
_OF_VNI = {
    "ù": "\u0301",
    "ø": "\u0300",
    "û": "\u0309",
    "õ": "\u0303",
    "ï": "\u0323",
    "â": "\u0302",
    "á": "\u0302\u0301",
    "à": "\u0302\u0300",
    "å": "\u0302\u0309",
    "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306",
    "é": "\u0306\u0301",
    "è": "\u0306\u0300",
    "ú": "\u0306\u0309",
    "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
    "ô": "ơ",
    "ö": "ư",
    "ñ": "đ",
    "æ": "ỉ",
    "ó": "ĩ",
    "ò": "ị",
    "î": "ỵ",
}

Letters = dict[int, str]


def _table_of_page(page: str) -> Letters:
    """The table of a code page that Python knows; bytes without a meaning are absent."""
    return {byte: text for byte in _HIGH if (text := bytes([byte]).decode(page, "ignore"))}


def _table_of_vni() -> Letters:
    marks = _OF_VNI | {sign.upper(): mark.upper() for sign, mark in _OF_VNI.items()}
    return {byte: marks.get(text, text) for byte, text in _table_of_page("cp1252").items()}


_ASCII = {byte: chr(byte) for byte in range(0x80)}
_TABLES: dict[str, Letters] = {
    WINDOWS: _ASCII | _table_of_page("cp1258"),
    TCVN3: _ASCII | dict(zip(_HIGH, _OF_TCVN3, strict=True)),
    VISCII: _ASCII | dict(zip(_HIGH, _OF_VISCII, strict=True)) | _LOW_OF_VISCII,
    VNI: _ASCII | _table_of_vni(),
    WESTERN: _ASCII | _table_of_page("cp1252"),
}

# A syllable without its tone: what may begin it, its vowels, what may end it.
_SYLLABLE = re.compile(
    r"(ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx])?"
    r"(iêu|yêu|oai|oay|oeo|uây|uôi|uya|uyê|uyu|ươi|ươu|ai|ao|au|ay|âu|ây|eo|êu|ia|iê|iu|oa|oă|oe|oi|oo|ôi|ơi|ua|uâ|uă|uê|ui|uô"
    r"|uơ|uy|ưa|ưi|ươ|ưu|yê|a|ă|â|e|ê|i|o|ô|ơ|u|ư|y)"
    r"(ch|ng|nh|[cmnpt])?"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH_WORDS = 3
_SURELY, _CLEARLY = 0.85, 0.2
_WHOLE_BY_BROKEN = 2
_UNITS = re.compile(rb"\xb5[gms]|[\xb0\xba]C|m[\xb2\xb3]")


def named_encoding(told: str) -> str:
    """Return the encoding that a declaration means, empty where it is none that is read here."""
    told = told.strip().strip("\"'")
    if _OF_THE_WEST.fullmatch(told):
        return WESTERN
    return next((name for name, pattern in _KNOWN if pattern.fullmatch(told)), "")


def decoded(data: bytes, encoding: str) -> str:
    """Return text, not yet composed; raises UnicodeDecodeError for a byte that the encoding has no letter for."""
    return codecs.charmap_decode(data, "strict", _TABLES[encoding])[0]


def composed_pieces(pieces: Iterable[str]) -> Iterator[str]:
    """Yield text composed; a letter at the end of a piece waits for the marks that may follow it."""
    rest = ""
    for piece in pieces:
        text = rest + piece
        end = len(text) - 1
        while end > 0 and unicodedata.combining(text[end]):
            end -= 1
        rest = text[max(end, 0) :]
        if whole := text[: max(end, 0)]:
            yield unicodedata.normalize("NFC", whole)
    if rest:
        yield unicodedata.normalize("NFC", rest)


def is_mostly_utf8(sample: bytes) -> bool:
    """Return whether a text that is no valid UTF-8 is one that was broken: most of its letters are whole."""
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return sum(not sign.isascii() for sign in text) - broken > _WHOLE_BY_BROKEN * broken


def holds_only_units(sample: bytes) -> bool:
    """Return whether all that is not ASCII are units, as data loggers of Windows write them: `µg/Nm³`, `°C`."""
    return _UNITS.sub(b"", sample).isascii()


def encoding_shown(sample: bytes) -> str:
    """Return the Vietnamese encoding that a sample shows beyond doubt, empty where it shows none.

    Vietnamese spells only so many syllables. In the right encoding nearly all words with a letter beyond ASCII are
    such, in another one about half at most: `Bình` of TCVN3 read as windows-1258 is `B×nh`.
    """
    shares = sorted((_share_of_syllables(sample, encoding), encoding) for encoding in VIETNAMESE)
    (second, _), (best, encoding) = shares[-2:]
    return encoding if best >= _SURELY and best - second >= _CLEARLY else ""


def _share_of_syllables(sample: bytes, encoding: str) -> float:
    """Return how many of the words with a letter beyond ASCII are syllables, 0 where there are too few words."""
    try:
        text = unicodedata.normalize("NFC", decoded(sample, encoding))
    except UnicodeDecodeError:
        return 0.0
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if len(words) < _ENOUGH_WORDS:
        return 0.0
    return sum(map(_is_syllable, words)) / len(words)


def _is_syllable(word: str) -> bool:
    letters, tones = _TONES.subn("", unicodedata.normalize("NFD", word.lower()))
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", letters)) is not None
