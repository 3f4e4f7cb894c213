"""Decodes the bytes of a document, and detects its media type.

A page's charset is stated in up to three places (HTTP header, byte order mark, meta element), and
each of them may be wrong: a proxy adds `charset=utf-8` to windows-1251 pages, a template keeps the
meta element of the site it was copied from. So a stated charset is only evidence, and the bytes decide.
Bytes that are valid UTF-8 are UTF-8. Any other charset is accepted if the decoded text looks like language.
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.document import MediaType
from pipeline.page.double_encoding import undo_double_encoding

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

# Bytes that are read to detect the media type and to find a stated charset. HTML requires the
# meta element within the first 1024 bytes, but real pages put scripts before it.
_HEAD = 65536
# Bytes of non-ASCII text given to charset detection. More bytes make it slower and not better.
_SAMPLE = 12_000

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16-LE, because this mark begins with that one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Python codec -> labels found on the web, after the WHATWG Encoding Standard
# (https://encoding.spec.whatwg.org/#names-and-labels): a label stands for the superset that browsers
# use for it. Python codecs outside this list (rot13, unicode_escape, utf-7) are never looked up.
# The package webencodings does not replace this list: it lacks labels that pages use (utf8mb4, win-1251,
# cp949, hz), and maps GB2312 to GBK instead of GB18030.
_LABELS = {
    codec: labels.split()
    for codec, labels in {
        "utf-8": "utf-8 utf8 unicode-1-1-utf-8 utf-8-sig utf8mb4 x-unicode20utf8 unicode11utf8 unicode20utf8",
        "utf-16-le": "utf-16 utf16 utf-16le utf-16-le ucs-2 unicode iso-10646-ucs-2 unicodefeff",
        "utf-16-be": "utf-16be utf-16-be unicodefffe",
        "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 iso88591 latin1 latin-1 l1 ascii"
        " us-ascii ansi_x3.4-1968 iso_8859-1 cp819 ibm819 ansi",
        "cp1250": "windows-1250 cp1250 x-cp1250",
        "cp1251": "windows-1251 cp1251 x-cp1251 win-1251 windows1251 win1251 cp-1251 win",
        "cp1253": "windows-1253 cp1253 x-cp1253",
        "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 latin5 l5",
        "cp1255": "windows-1255 cp1255 x-cp1255 iso-8859-8-i logical",
        "cp1256": "windows-1256 cp1256 x-cp1256",
        "cp1257": "windows-1257 cp1257 x-cp1257",
        "cp1258": "windows-1258 cp1258 x-cp1258",
        "iso8859-2": "iso-8859-2 iso8859-2 iso88592 latin2 l2",
        "iso8859-3": "iso-8859-3 iso8859-3 latin3",
        "iso8859-4": "iso-8859-4 iso8859-4 latin4",
        "iso8859-5": "iso-8859-5 iso8859-5 cyrillic",
        "iso8859-6": "iso-8859-6 iso8859-6 arabic asmo-708",
        "iso8859-7": "iso-8859-7 iso8859-7 greek greek8",
        "iso8859-8": "iso-8859-8 iso8859-8 hebrew visual",
        "iso8859-10": "iso-8859-10 latin6",
        "iso8859-13": "iso-8859-13 iso8859-13",
        "iso8859-14": "iso-8859-14",
        "iso8859-15": "iso-8859-15 iso8859-15 latin-9 latin9",
        "iso8859-16": "iso-8859-16",
        "koi8-r": "koi8-r koi8 koi koi8_r",
        "koi8-u": "koi8-u koi8-ru",
        "cp866": "cp866 ibm866 866 csibm866",
        "mac-cyrillic": "x-mac-cyrillic mac-cyrillic x-mac-ukrainian",
        "mac-roman": "macintosh mac x-mac-roman",
        "cp874": "windows-874 tis-620 tis620 iso-8859-11 dos-874",
        "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji windows-31j ms932 cp932 csshiftjis",
        "euc_jp": "euc-jp euc_jp x-euc-jp eucjp",
        "iso2022_jp": "iso-2022-jp csiso2022jp",
        "gb18030": "gb18030 gbk gb2312 gb_2312-80 x-gbk chinese cp936 euc-cn csgb2312 gb-2312",
        "hz": "hz-gb-2312 hz",
        "big5hkscs": "big5 big5-hkscs cn-big5 x-x-big5 csbig5 cp950",
        "cp949": "euc-kr euckr ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 korean windows-949"
        " cp949 ms949 uhc",
    }.items()
}
_CODECS = {label: codec for codec, labels in _LABELS.items() for label in labels}

_WEB_CODECS = frozenset(
    codecs.lookup(codec).name for codec in (*_LABELS, "utf-16", "utf-32", *(name for _, name in _BOMS))
)

# Charsets that detection tries. Not listed are charsets that news is not written in (cp1258 and iso-8859-3
# look plausible for any bytes), and subsets of the listed ones.
_DETECTABLE = [
    "cp1252",
    "cp1251",
    "cp932",
    "gb18030",
    "cp949",
    "big5",
    "euc_jp",
    "cp1250",
    "iso8859_2",
    "cp1254",
    "cp1253",
    "cp1256",
    "cp1255",
    "cp1257",
    "koi8_r",
    "koi8_u",
    "iso8859_5",
    "cp866",
    "mac_cyrillic",
    "tis_620",
    "iso8859_6",
]
# If several charsets are equally likely, the page's stated language decides.
_BY_LANGUAGE = {
    "tr": "cp1254",
    "az": "cp1254",
    "pl": "cp1250",
    "cs": "cp1250",
    "sk": "cp1250",
    "hu": "cp1250",
    "hr": "cp1250",
    "sl": "cp1250",
    "ro": "cp1250",
    "lt": "cp1257",
    "lv": "cp1257",
    "et": "cp1257",
    "ru": "cp1251",
    "uk": "cp1251",
    "be": "cp1251",
    "bg": "cp1251",
    "sr": "cp1251",
    "mk": "cp1251",
    "el": "cp1253",
    "he": "cp1255",
    "ar": "cp1256",
    "fa": "cp1256",
    "ja": "cp932",
    "zh": "gb18030",
    "ko": "cp949",
    "th": "tis_620",
}

_META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([a-z0-9_.:-]{2,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([a-z0-9_.:-]{2,40})""", re.IGNORECASE
)
_LANGUAGE = re.compile(rb"""<html[^>]{0,400}?\slang\s*=\s*["']?([a-z]{2,3})\b""", re.IGNORECASE)

_ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\([BJI]")
# All ASCII control characters except tab, line feed, form feed and carriage return. Text does not need
# them, lxml rejects them, and PostgreSQL rejects NUL.
_CONTROL_BYTES = bytes([*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F])
_UNWANTED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ud800-\udfff]")


def decode_body(body: bytes, declared: str | None, media_type: MediaType) -> str:
    """Return the document's text without NUL, other control characters and lone surrogates.

    The order is: byte order mark, valid UTF-8, the charset declared by the source, the charset stated in the
    page (meta element, XML declaration), detection. A declared charset is ignored if another charset gives a
    clearly better text. In a page, UTF-8 that was encoded twice is decoded twice. Never raises: bytes that
    cannot be decoded become U+FFFD.
    """
    text, codec = _decoded(body, declared, media_type)
    text = _clean(body, text, codec)
    # Copied text is repaired with its lines (`pipeline.extract.plain_text`).
    return undo_double_encoding(body, text) if codec == "utf-8" and media_type is MediaType.HTML else text


def _decoded(body: bytes, declared: str | None, media_type: MediaType) -> tuple[str, str]:
    """Return the decoded text and its codec."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace"), codec
    codec = _wide_without_mark(body) or ""
    if codec:
        return body.decode(codec, "replace"), codec
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        codec = _choose(body, _stated(body, declared, media_type))
    else:
        codec = _instead_of_utf8(body, text, declared, media_type)
        if not codec:
            return text, "utf-8"
    return body.decode(codec, "replace"), codec


def _instead_of_utf8(body: bytes, text: str, declared: str | None, media_type: MediaType) -> str:
    """Return the codec of bytes that are valid UTF-8 only by accident; "" if they are UTF-8."""
    if text.isascii():
        if b"\x1b" in body and _decodes_escapes(body, "iso2022_jp"):
            return "iso2022_jp"
        if "hz" in _stated(body, declared, media_type) and _decodes_escapes(body, "hz"):
            return "hz"
    # A character takes at most three extra bytes in UTF-8, so a larger difference means more characters.
    elif len(body) - len(text) <= 3 * _ACCIDENT_CHARS:
        stated = _stated(body, declared, media_type)
        if _is_short_accident(body, text, stated):
            return _choose(body, stated)
    return ""


# A text of another charset is valid UTF-8 by accident only if it has at most so many non-ASCII characters.
_ACCIDENT_CHARS = 8


def is_web_charset(codec: str) -> bool:
    """True for the Python name of a charset that pages are written in: punycode and others are none."""
    try:
        return codecs.lookup(codec).name in _WEB_CODECS
    except LookupError:
        return False


def sniff_media_type(body: bytes) -> MediaType | None:
    """Return the media type, judged by content alone; None for a binary or an unsupported kind of document.

    `body` may be the beginning of a longer document. UTF-16 and UTF-32 are text. XML other than
    XHTML (a feed, a sitemap, SVG), RTF and saved mail (MHTML) are not supported.
    """
    head = body[:_HEAD]
    codec = next((codec for mark, codec in _BOMS if head.startswith(mark)), None) or _wide_without_mark(head)
    if codec not in (None, "utf-8"):
        head = head.decode(codec, "ignore").encode("utf-8", "ignore")
    elif head.startswith(_MAGIC) or head[4:8] == b"ftyp" or _MPEG_FRAME.match(head):
        return None
    start = head.removeprefix(codecs.BOM_UTF8).lstrip(b"\0 \t\r\n\f")
    comments = _COMMENTS.match(start)
    start = start[comments.end() :] if comments else start
    is_html = _HTML_START.match(start)
    # About one byte in nine of compressed data is a control character. A text damaged by NUL bytes has fewer.
    controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
    if controls > len(head) * (0.3 if is_html else 0.05) and not _ISO_2022_JP.search(head):
        return None
    if is_html:
        return MediaType.HTML
    if _OTHER_DOCUMENT.match(start):
        return None
    if start.startswith(b"<?xml") or _XML_ROOT.match(start):
        return MediaType.HTML if _HTML_ELEMENT.search(start[:4096]) else None
    closing = len(_CLOSING_TAGS.findall(head))
    return MediaType.HTML if closing >= 3 or (closing and start.startswith(b"<")) else MediaType.TEXT


_MAGIC = (
    b"\x89PNG\r",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"%PDF-",
    b"%!PS",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a",
    b"7z\xbc\xaf",
    b"\x7fELF",
    b"MZ\x90",
    b"\xd0\xcf\x11\xe0",  # Office before 2007
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"SQLite format 3",
    b"wOFF",
    b"wOF2",
    b"OTTO\x00",
    b"\x00\x01\x00\x00",
    b"ID3\x03",
    b"ID3\x04",
    b"OggS",
    b"fLaC",
    b"\x1aE\xdf\xa3",
    b"II*\x00",
    b"MM\x00*",
    b"\x00\x00\x01\x00",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"PAR1",
    b"ARROW1",
    b"\x93NUMPY",
    b"{\\rtf",
)
_MPEG_FRAME = re.compile(rb"\xff[\xfb\xf3\xf2][\x00-\xff]\x00")
_COMMENTS = re.compile(rb"(?:<!--.*?-->\s*)+", re.DOTALL)
_HTML_START = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|title|script|iframe|h1|div|font|table|a|style|b|br|p|article|main"
    rb"|section|meta|link|header|nav)(?:[\s>/]|$)",
    re.IGNORECASE,
)
_HTML_ELEMENT = re.compile(rb"<!doctype\s+html|<(?:[a-z]+:)?html[\s>]", re.IGNORECASE)
_XML_ROOT = re.compile(
    rb"<(?:!doctype\s|rss|feed|rdf:rdf|urlset|sitemapindex|svg|nitf|newsml|newsitem|opml)", re.IGNORECASE
)
_OTHER_DOCUMENT = re.compile(
    rb"(?:from: <saved by|mime-version:[^\n]*\n(?:[^\n]+\n){0,12}?content-type: multipart/)", re.IGNORECASE
)
_CLOSING_TAGS = re.compile(
    rb"</(?:p|div|body|html|head|a|span|li|ul|h[1-6]|article|section|title|script|td|tr)\s*>", re.IGNORECASE
)


def _clean(body: bytes, text: str, codec: str) -> str:
    # If ASCII is a subset of the codec, a control character can only come from a control byte, and searching
    # bytes is much faster than searching a str. Lone surrogates can only come from the UTF-16 and UTF-32
    # decoders.
    is_superset = not codec.startswith(("utf-16", "utf-32"))
    return text if is_superset and not _has_control_bytes(body) else _UNWANTED.sub("", text)


def _has_control_bytes(body: bytes) -> bool:
    """Return whether the body has any of `_CONTROL_BYTES`; faster than removing them."""
    if not body:
        return False
    values = np.frombuffer(body, np.uint8)
    if values.min() < 0x09 or b"\x0b" in body or b"\x7f" in body:
        return True
    # The remaining values below 0x0E are white space; the subtraction wraps them around to above 200.
    return bool((values - np.uint8(0x0E)).min() < 0x20 - 0x0E)


def _wide_without_mark(body: bytes) -> str | None:
    """Return utf-16-le/be or utf-32-le/be if the NUL bytes are placed as in such text, else None.

    In UTF-16 text of any alphabet the upper bytes take only two or three values: 0 for blanks and ASCII,
    and those of the script. They are at every second position, which does not happen in eight-bit text.
    """
    head = body[:4096]
    head = head[: len(head) // 4 * 4]
    if len(head) < 8 or 0 not in head:
        return None
    first, second, third, fourth = (head[i::4] for i in range(4))
    halves = {  # upper, lower
        "utf-32-le": (third + fourth, first + second),
        "utf-32-be": (first + second, third + fourth),
        "utf-16-le": (second + fourth, first + third),
        "utf-16-be": (first + third, second + fourth),
    }
    for codec, (values, lower) in halves.items():
        common = sum(sorted(map(values.count, set(values)), reverse=True)[:3])
        in_step = values.count(0) >= max(4, 4 * lower.count(0))  # for Chinese, where the upper bytes vary
        if (common < len(values) * 0.9 and not in_step) or values.count(0) <= lower.count(0):
            continue
        if len(set(lower)) < 4:
            continue
        if codec.startswith("utf-32") and values.count(0) < len(values) * 0.95:
            continue
        if _is_mostly_printable(head.decode(codec, "replace")):
            return codec
    return None


def _is_mostly_printable(text: str) -> bool:
    good = sum(1 for c in text if c.isprintable() or c in "\t\r\n\f")
    return good > len(text) * 0.95


def _stated(body: bytes, declared: str | None, media_type: MediaType) -> list[str]:
    """Return the codecs that the source and the page state, most trusted first, without repeats."""
    labels = [declared] if declared else []
    head = body[:_HEAD]
    xml = _XML_ENCODING.search(head)
    if xml:
        labels.append(xml[1].decode("ascii"))
    if media_type is MediaType.HTML:
        labels.extend(label.decode("ascii") for label in _META_CHARSET.findall(head)[:2])
    known = (_CODECS.get(label.strip().strip("\"'").lower()) for label in labels)
    return list(dict.fromkeys(codec for codec in known if codec is not None))


def _decodes_escapes(body: bytes, codec: str) -> bool:
    if codec == "iso2022_jp" and not re.search(rb"\x1b\$[@B]", body):
        return False
    if codec == "hz" and b"~{" not in body:
        return False
    try:
        return not body.decode(codec).isascii()
    except UnicodeDecodeError:
        return False


def _is_short_accident(body: bytes, text: str, stated: list[str]) -> bool:
    """Return whether a few bytes of a legacy charset happen to be valid UTF-8.

    Two Chinese words in GBK can be valid UTF-8; two dozen cannot. So the answer is True only if no stated
    charset is UTF-8, the text has few non-ASCII characters, and the stated charset decodes all of them to
    East Asian letters.
    """
    if not stated or "utf-8" in stated or any(codec.startswith("utf") for codec in stated):
        return False
    wide = [c for c in text if c > "\x7f"]
    if len(wide) > _ACCIDENT_CHARS:
        return False
    if any(c > "\u07ff" for c in wide):  # a valid sequence of three bytes is not an accident
        return False
    try:
        other = body.decode(stated[0])
    except UnicodeDecodeError:
        return False
    # UTF-8 decoded with another charset gives symbols (Ã©, РЎ); text of that charset gives letters.
    return all(c.isalpha() and c > "\u2e80" for c in other if c > "\x7f")


def _choose(body: bytes, stated: list[str]) -> str:
    """Return the best codec for bytes that are not valid UTF-8."""
    if _is_damaged_utf8(body):
        return "utf-8"
    if stated and stated[0].startswith("utf-16"):
        text = body[:4096].decode(stated[0], "replace")
        if _is_mostly_printable(text):
            return stated[0]
    sample, language = _sample(body), _LANGUAGE.search(body[:_HEAD])
    matches = _matches(sample)
    if not matches:
        stated = [codec for codec in stated if codec != "utf-8"]
        return next((codec for codec in stated if _error_share(body, codec) < 0.02), "cp1252")
    # Charsets about as good as the best one. A charset outside this list is rejected even if it is stated.
    best = min(match.chaos for match, _ in matches)
    top = max(match.coherence for match, _ in matches if match.chaos <= best + 0.03)
    near = [names for match, names in matches if match.chaos <= best + 0.03 and match.coherence >= top - 0.25]
    preferred = [_SPELLED.get(codec, codec) for codec in stated]
    if language:
        preferred.append(_BY_LANGUAGE.get(language[1].decode("ascii").lower(), ""))
    preferred.append("cp1252")
    for codec in preferred:
        if any(codec in names for names in near):
            return "cp1254" if codec == "cp1252" and _is_turkish(sample) else _WIDER.get(codec, codec)
    # A stated charset that detection does not try.
    for codec in stated:
        if (
            _SPELLED.get(codec, codec) not in _DETECTABLE
            and codec != "utf-8"
            and _error_share(body, codec) < 0.01
        ):
            return codec
    return _WIDER.get(matches[0][1][0], matches[0][1][0])


def _is_turkish(sample: bytes) -> bool:
    """Return whether cp1252 would show ı, ş, ğ as ý, þ, ð: no other Icelandic letter occurs."""
    letters = re.sub(rb"[^\xc0-\xff]", b"", sample)
    turkish = len(re.findall(rb"[\xd0\xdd\xde\xf0\xfd\xfe]", letters))
    return turkish > len(letters) * 0.3 and not re.search(rb"[\xe6\xe1\xed\xf3\xfa]", letters)


# Codec name -> charset-normalizer's name for it, or for its superset among `_DETECTABLE`.
_SPELLED = {"koi8-r": "koi8_r", "koi8-u": "koi8_u", "iso8859-2": "iso8859_2", "iso8859-5": "iso8859_5"}
_SPELLED |= {"big5hkscs": "big5", "cp874": "tis_620", "mac-cyrillic": "mac_cyrillic"}
_SPELLED |= {"iso8859-6": "iso8859_6", "iso8859-7": "cp1253", "iso8859-15": "cp1252", "iso8859-8": "cp1255"}
# Detected charset -> superset to decode with.
_WIDER = {"big5": "big5hkscs", "tis_620": "cp874"}


def _matches(sample: bytes) -> list[tuple[CharsetMatch, list[str]]]:
    """Return the plausible charsets of the sample, best first, each with those that decode it alike."""
    # Imported here because few pages need detection.
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=_DETECTABLE, steps=6, chunk_size=512, enable_fallback=False)
    return [(match, match.could_be_from_charset) for match in found]


def _is_damaged_utf8(body: bytes) -> bool:
    """Return whether nearly all non-ASCII bytes form valid UTF-8 sequences, and a few are damaged."""
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    sound = sum(map(len, _NON_ASCII.findall(text))) - text.count("\ufffd")
    return sound >= 4 and broken * 10 <= sound


_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_TAG = re.compile(rb"<[^<>]{0,2000}>")
_SCRIPT_OR_TAG = re.compile(
    rb"<(?:script|style)\b.*?</(?:script|style)\s*>|" + _TAG.pattern, re.DOTALL | re.IGNORECASE
)
_SCRIPT_END = re.compile(rb"</(?:script|style)\s*>", re.IGNORECASE)
# Cut only at line ends, which are never part of a multi-byte character.
_LINES = re.compile(rb"[^\r\n]+[\r\n]*")


def _sample(body: bytes) -> bytes:
    """Return the lines of the page's text that have non-ASCII bytes, about `_SAMPLE` bytes of them."""
    text = without_tags(body[: 40 * _SAMPLE])
    pieces: list[bytes] = []
    size = 0
    for line in _LINES.finditer(text):
        if line[0].isascii():
            continue
        pieces.append(line[0])
        size += len(line[0])
        if size >= _SAMPLE:
            break
    sample = b"".join(pieces) or body[:_SAMPLE]
    if len(sample) > 4 * _SAMPLE:  # one very long line
        cut = sample.rfind(b" ", 0, 4 * _SAMPLE)
        sample = sample[: cut if cut > 0 else 4 * _SAMPLE]
    return sample


def without_tags(body: bytes) -> bytes:
    """Return the body with a line end in place of each script, style and tag.

    A script without an end would be searched for one to the end of the body, once for each.
    """
    end = 0
    for found in _SCRIPT_END.finditer(body):
        end = found.end()
    return _SCRIPT_OR_TAG.sub(b"\n", body[:end]) + _TAG.sub(b"\n", body[end:])


@cache
def _has_decoder(codec: str) -> bool:
    try:
        codecs.lookup(codec)
    except LookupError:
        return False
    return True


def _error_share(body: bytes, codec: str) -> float:
    """Return the share of non-ASCII characters that `codec` cannot decode; 1.0 for an unknown codec."""
    if not _has_decoder(codec):
        return 1.0
    text = body[: 40 * _SAMPLE].decode(codec, "replace")
    wide = sum(map(len, _NON_ASCII.findall(text)))
    return text.count("\ufffd") / wide if wide else 0.0
