"""Bytes to text: charsets of news, right and wrong labels, and bytes that are not text."""

from __future__ import annotations

import codecs
import gzip
import random
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.document import MediaType
from pipeline.page.decode import decode_body, sniff_media_type, without_tags

# One news paragraph a language, written for these tests, with the charsets that it was written in.
RUSSIAN = (
    "Министр транспорта заявил в среду, что новая линия метро откроется не раньше осени. По его словам,"
    " подрядчик просит дополнительное время на испытания поездов. Городской совет обсудит вопрос в четверг."
)
UKRAINIAN = (
    "Міська рада Лутової підтримала ремонт єдиного мосту через річку. Роботи триватимуть до кінця року,"
    " повідомили в департаменті. Їхня вартість становить чверть бюджету."
)
JAPANESE = (
    "県は水曜日、港の新しい堤防を公開した。知事は記者会見で、台風の季節までに工事を終えると述べた。"
    "住民からは費用が高すぎるとの声も上がっている。"
)
CHINESE = (
    "市政府星期三公布了新的地铁线路计划。有关部门表示，工程将在明年春天开始，预计三年内完成。"
    "附近的居民对噪音和费用提出了不同的意见。"
)
TAIWANESE = (
    "市政府星期三公布了新的捷運路線計畫。有關部門表示，工程將在明年春天開始，預計三年內完成。"
    "附近的居民對噪音和費用提出了不同的意見。"
)
KOREAN = (
    "시는 수요일 새로운 지하철 노선 계획을 발표했다. 관계자는 공사가 내년 봄에 시작되어 삼 년 안에"
    " 끝날 것이라고 밝혔다. 주민들은 소음과 비용에 대해 다른 의견을 내놓았다."
)
FRENCH = (
    "La préfète a annoncé mercredi que le pont fermé depuis février rouvrirait à l’été. « Les travaux"
    " ont été plus longs que prévu », a-t-elle expliqué à des élus inquiets. Le coût a doublé."
)
GERMAN = (
    "Die Bürgermeisterin erklärte am Mittwoch, die gesperrte Brücke werde im Frühjahr geöffnet. „Für die"
    " Händler am Fluß war das Jahr schwierig“, sagte sie. Die Kosten hätten sich verdoppelt."
)
POLISH = (
    "Burmistrz ogłosił w środę, że zamknięty most zostanie otwarty wiosną. Według niego prace były"
    " trudniejsze, niż sądzono, a koszty wzrosły dwukrotnie. Mieszkańcy są zaniepokojeni."
)
TURKISH = (
    "Belediye başkanı çarşamba günü yaptığı açıklamada kapalı köprünün ilkbaharda açılacağını söyledi."
    " Çalışmaların beklenenden uzun sürdüğünü, maliyetin iki katına çıktığını belirtti."
)
GREEK = (
    "Ο δήμαρχος ανακοίνωσε την Τετάρτη ότι η κλειστή γέφυρα θα ανοίξει την άνοιξη. Οι εργασίες κράτησαν"
    " περισσότερο από όσο είχε προβλεφθεί και το κόστος διπλασιάστηκε."
)
ARABIC = (
    "أعلن رئيس البلدية يوم الأربعاء أن الجسر المغلق سيفتح في الربيع. وأضاف أن الأعمال استغرقت وقتا أطول"
    " مما كان متوقعا وأن التكلفة تضاعفت."
)
HEBREW = (
    "ראש העיר הודיע ביום רביעי כי הגשר הסגור ייפתח באביב. לדבריו העבודות נמשכו זמן רב מהצפוי והעלות"
    " הוכפלה. התושבים מודאגים."
)
THAI = "นายกเทศมนตรีแถลงเมื่อวันพุธว่าสะพานที่ปิดอยู่จะเปิดใช้ในฤดูใบไม้ผลิ งานใช้เวลานานกว่าที่คาดไว้"

LEGACY = [
    (RUSSIAN, "cp1251", "windows-1251"),
    (RUSSIAN, "koi8-r", "koi8-r"),
    (RUSSIAN, "iso8859-5", "iso-8859-5"),
    (RUSSIAN, "cp866", "ibm866"),
    (UKRAINIAN, "cp1251", "windows-1251"),
    (UKRAINIAN, "koi8-u", "koi8-u"),
    (JAPANESE, "cp932", "Shift_JIS"),
    (JAPANESE, "euc_jp", "EUC-JP"),
    (JAPANESE, "iso2022_jp", "iso-2022-jp"),
    (CHINESE, "gb18030", "GB2312"),
    (TAIWANESE, "big5", "big5"),
    (KOREAN, "cp949", "euc-kr"),
    (FRENCH, "cp1252", "iso-8859-1"),
    (GERMAN, "cp1252", "windows-1252"),
    (POLISH, "cp1250", "windows-1250"),
    (POLISH, "iso8859-2", "iso-8859-2"),
    (TURKISH, "cp1254", "iso-8859-9"),
    (GREEK, "cp1253", "windows-1253"),
    (ARABIC, "cp1256", "windows-1256"),
    (HEBREW, "cp1255", "windows-1255"),
    (THAI, "tis_620", "tis-620"),
]
TEXTS = sorted({text for text, _, _ in LEGACY})
WRONG_LABELS = [None, "utf-8", "iso-8859-1", "x-no-such-charset", "unicode_escape", "rot13", ""]


def page(text: str, charset: str | None) -> str:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">' if charset else ""
    return f"<!DOCTYPE html><html><head>{meta}<title>News</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(("text", "codec", "label"), LEGACY)
def test_legacy_text_is_read_with_the_right_label_and_with_none(text: str, codec: str, label: str) -> None:
    body = text.encode(codec)
    assert decode_body(body, label, MediaType.TEXT) == text
    assert decode_body(body, None, MediaType.TEXT) == text


@pytest.mark.parametrize("wrong", WRONG_LABELS)
@pytest.mark.parametrize(("text", "codec", "label"), LEGACY)
def test_a_wrong_header_does_not_win_over_the_page(
    text: str, codec: str, label: str, wrong: str | None
) -> None:
    html = page(text, label)
    assert decode_body(html.encode(codec), wrong, MediaType.HTML) == html


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1"])
@pytest.mark.parametrize(("text", "codec", "label"), LEGACY)
def test_a_wrong_meta_element_does_not_win_over_the_header(
    text: str, codec: str, label: str, wrong: str
) -> None:
    html = page(text, wrong)
    assert decode_body(html.encode(codec), label, MediaType.HTML) == html


@pytest.mark.parametrize("label", ["windows-1251", "Shift_JIS", "gb2312", "euc-kr", "iso-8859-1", "utf-16"])
@pytest.mark.parametrize("text", TEXTS)
def test_utf8_is_utf8_whatever_is_stated(text: str, label: str) -> None:
    html = page(text, label)
    assert decode_body(html.encode(), label, MediaType.HTML) == html


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("text", TEXTS)
def test_unicode_with_and_without_a_mark(text: str, codec: str) -> None:
    html = page(text, "windows-1252")
    body = html.encode(codec)
    assert sniff_media_type(body) is MediaType.HTML
    assert decode_body(body, "iso-8859-1", MediaType.HTML) == html


def test_two_chinese_words_that_are_valid_utf8_by_accident() -> None:
    body = "毛袁".encode("gbk")
    assert body.decode("utf-8")
    assert decode_body(body, "gbk", MediaType.TEXT) == "毛袁"


def test_a_few_broken_bytes_do_not_make_utf8_something_else() -> None:
    body = GERMAN.encode().replace("ü".encode(), b"\xfc", 1)
    assert decode_body(body, None, MediaType.TEXT) == GERMAN.replace("ü", "\ufffd", 1)
    cut = RUSSIAN.encode()[:-5] + b"\xd0"
    assert decode_body(cut, "utf-8", MediaType.TEXT).startswith(RUSSIAN[:100])


def test_a_few_broken_bytes_do_not_make_shift_jis_something_else() -> None:
    body = JAPANESE.encode("cp932") * 20 + b"\xff\n"
    assert JAPANESE in decode_body(body, "shift_jis", MediaType.TEXT)


def test_an_xml_declaration_counts() -> None:
    html = f'<?xml version="1.0" encoding="iso-8859-2"?><html><body><p>{POLISH}</p></body></html>'
    assert decode_body(html.encode("iso8859-2"), None, MediaType.HTML) == html


def test_control_characters_go_and_blanks_stay() -> None:
    body = b"one\0two\x08\tthree\r\nfour\x0cfive\x7f"
    assert decode_body(body, None, MediaType.TEXT) == "onetwo\tthree\r\nfour\x0cfive"
    for value in range(0x80):
        body = b"one" + bytes([value]) + b"two"
        kept = chr(value) if value in b"\t\n\f\r" or 0x20 <= value < 0x7F else ""
        assert decode_body(body, None, MediaType.TEXT) == f"one{kept}two"


@given(
    st.binary(max_size=3000), st.sampled_from([*WRONG_LABELS, "shift_jis", "gb18030", "big5", "utf-16", "hz"])
)
def test_any_bytes_give_storable_text(body: bytes, declared: str | None) -> None:
    for media_type in MediaType:
        text = decode_body(body, declared, media_type)
        text.encode()  # no lone surrogate
        assert "\0" not in text
    sniff_media_type(body)


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_any_text_survives_in_unicode(text: str, codec: str) -> None:
    text = "A headline of some words. " + text
    kept = "".join(c for c in text if c in "\t\n\r\f" or not (c < " " or c == "\x7f"))
    declared = "utf-8" if codec.startswith("utf-8") else None
    assert decode_body(text.encode(codec), declared, MediaType.TEXT) == kept


@given(st.sampled_from(LEGACY), st.integers(0, 400), st.integers(0, 400))
def test_a_cut_page_is_still_read(legacy: tuple[str, str, str], start: int, length: int) -> None:
    text, codec, label = legacy
    html = page(text, label)
    body = html.encode(codec)[: 60 + start + length]
    assert decode_body(body, label, MediaType.HTML)[:60] == html[:60]


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"GIF89a\x01\0\x01\0",
        b"%PDF-1.7\n%\xe2\xe3\n",
        b"PK\x03\x04\x14\0\0\0",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x7fELF\x02\x01\x01",
        b"{\\rtf1\\ansi A story.}",
        b"\0\0\0\x20ftypisom",
        b'<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>',
        b"<svg xmlns='http://www.w3.org/2000/svg'></svg>",
        b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\n",
        gzip.compress(b"text", mtime=0),
        zlib.compress(random.Random(1).randbytes(5000)),
        random.Random(2).randbytes(5000),
        bytes(300),
    ],
)
def test_bytes_that_are_not_text_are_recognised(body: bytes) -> None:
    assert sniff_media_type(body) is None


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><head></head></html>",
        b"\xef\xbb\xbf\r\n  <!-- saved from url=(0014)about:internet -->\n<HTML>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html xmlns="http://www.w3.org/1999/xhtml">',
        b"<div class=story><p>One.</p><p>Two.</p></div>",
        b"Some words first <p>one</p><p>two</p><p>three</p>",
        b"<html>\0<body>damaged\0</body></html>",
    ],
)
def test_pages_are_html(body: bytes) -> None:
    assert sniff_media_type(body) is MediaType.HTML


@pytest.mark.parametrize(("text", "codec", "label"), LEGACY)
def test_copied_text_is_text(text: str, codec: str, label: str) -> None:
    assert sniff_media_type(f"A title\n\n{text}\n".encode(codec, "replace")) is MediaType.TEXT


def test_a_tag_in_a_text_does_not_make_it_a_page() -> None:
    assert sniff_media_type(b"The <b>best</b> five of 2024, and 3 < 4.\n\nText.") is MediaType.TEXT
    assert (
        sniff_media_type(codecs.BOM_UTF8 + b"Title\n\ntext with one\0NUL and more words around it.")
        is MediaType.TEXT
    )


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_page_in_utf8_that_was_encoded_twice_is_decoded_twice(mark: bytes) -> None:
    body = mark + f"<p>{GERMAN}</p>".encode().decode("latin-1").encode()
    assert decode_body(body, None, MediaType.HTML) == f"<p>{GERMAN}</p>"


_MARKUP = [b"<script>", b"<script", b"</script>", b"</style >", b"</script", b"<p>", b"<", b">", b"\n", b"a"]


@given(st.lists(st.sampled_from(_MARKUP), max_size=12).map(b"".join))
def test_scripts_and_tags_are_cut_as_by_one_expression(body: bytes) -> None:
    plain = rb"(?is)<(?:script|style)\b.*?</(?:script|style)\s*>|<[^<>]{0,2000}>"
    assert without_tags(body) == re.sub(plain, b"\n", body)
