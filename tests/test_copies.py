"""Copies as outlets print them, from bytes to groups: texts that belong into one group, and texts that do
not. All stories of this file are in one database, so each is also a look-alike of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape

import pytest
from sqlalchemy import Engine

from pipeline.document import Article, Claims, Document, MediaType, Origin
from pipeline.process import process_document
from pipeline.settings import Settings
from storage import reader, writer

SETTINGS = Settings()
NOON = datetime(2024, 5, 14, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """copies: texts of one story, the source first; others: texts of other stories that look like it.

    exact: whether the copies differ from the source in nothing but style, and so are exact copies of it.
    """

    copies: Sequence[str]
    others: Sequence[str] = ()
    exact: bool = True


FERRY = (
    "The harbour board of Port Alba said on Tuesday that it would close two of its seven ferry terminals, "
    "citing a 12.5 per cent fall in passengers since 2019.",
    "Chairwoman Ines Moreau told reporters that the board had lost 4,300,000 crowns last year and could not "
    "keep empty piers open through another winter.",
    "“We have waited for the summer crowds – they did not come back,” she said. “The islands’ people will "
    "still be served, but by fewer boats and from fewer places.”",
    "The terminals at Gull Point and Old Salt Street would close on September 30, with 146 jobs lost, the "
    "board said in a statement. A shuttle bus is to carry commuters to the central pier.",
)
STORY = "\n".join(FERRY)

GERMAN = (
    "Der Hafenrat von Sankt Alba will zwei seiner sieben Fährterminals schließen. Die Zahl der Fahrgäste sei "
    "seit 2019 um 12,5 Prozent gesunken, teilte er am Dienstag mit.\n"
    "„Wir haben auf die Sommergäste gewartet“, sagte die Vorsitzende Ines Moreau. Im vergangenen Jahr habe "
    "der Rat 4.300.000 Kronen verloren.\n"
    "Betroffen sind die Anleger Möwenkap und Alte Salzstraße. 146 Stellen fallen zum 30. September weg."
)
CHINESE = (
    "阿尔巴港务局星期二宣布，由于乘客人数自2019年以来下降12.5%，将关闭七个渡轮码头中的两个。\n"
    "主席莫罗对记者表示，港务局去年亏损430万克朗，无法再维持空荡荡的码头。\n"
    "“我们等待过夏天的游客，但他们没有回来。”她说。工会称该计划是对外岛居民的打击，并表示将举行罢工投票。"
)
JAPANESE = (
    "アルバ港湾局は火曜日、2019年以降に乗客が12.5%減少したとして、七つのフェリー乗り場のうち二つを閉鎖すると発表した。\n"
    "モロー局長は記者団に対し、昨年は430万クローネの赤字を出したと述べた。「夏の客は戻らなかった」とも語った。\n"
    "労働組合は離島への打撃だと批判し、ストライキの投票を行うとしている。"
)
THAI = (
    "การท่าเรืออัลบาประกาศเมื่อวันอังคารว่าจะปิดท่าเรือข้ามฟากสองแห่งจากเจ็ดแห่ง หลังจำนวนผู้โดยสารลดลงร้อยละ 12.5 "
    "ประธานโมโรกล่าวว่าปีที่แล้วขาดทุน 4.3 ล้านโครน\n"
    "สหภาพแรงงานเรียกแผนนี้ว่าเป็นการทำร้ายชาวเกาะ และจะลงมติเรื่องการนัดหยุดงานภายในสองสัปดาห์"
)
KOREAN = (
    "알바 항만청은 화요일 2019년 이후 승객이 12.5% 줄었다며 "
    "여객선 터미널 일곱 곳 가운데 두 곳을 닫겠다고 발표했다.\n"
    "모로 청장은 기자들에게 지난해 430만 크로네의 적자를 냈다고 말했다.\n"
    "노동조합은 섬 주민들에게 타격이라고 비판하며 파업 찬반 투표를 하겠다고 밝혔다."
)
RUSSIAN = (
    "Портовое управление Альбы закроет два из семи паромных терминалов, сообщили в управлении во вторник.\n"
    "По его данным, число пассажиров снизилось на 12,5 процента с 2019 года. Председатель Инес Моро сказала, "
    "что убыток за прошлый год составил 4,3 млн крон.\n"
    "Профсоюзы назвали план ударом по жителям островов и пообещали провести голосование о забастовке."
)
SHORT = (
    "A ferry with 40 people on board ran aground off Port Alba early on Tuesday, the coast guard said. "
    "Nobody was hurt."
)
FLASH = "Storm closes the airport of Kaldvik until Thursday morning, and 3,200 passengers are stranded."


def changed(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


CASES: Mapping[str, Case] = {
    "quotes, dashes, figures": Case(
        [
            STORY,
            changed(STORY, ("“", '"'), ("”", '"'), ("’", "'"), (" – ", " -- ")),
            changed(STORY, ("“", "«"), ("”", "»"), (" – ", "\u2014")),
            changed(STORY, ("“", "„"), ("”", "“"), (" – ", " - ")),
            changed(STORY, ("12.5 per cent", "12.5 percent"), ("4,300,000", "4.300.000"), ("seven", "7")),
            changed(STORY, ("12.5 per cent", "12.5%"), ("4,300,000", "4 300 000"), ("two of", "2 of")),
            changed(STORY, ("12.5 per cent", "12.5 pct"), ("September 30", "September thirty")),
        ]
    ),
    "per cent": Case(
        [
            GERMAN,
            changed(GERMAN, ("12,5 Prozent", "12,5 %"), ("4.300.000", "4 300 000")),
            changed(GERMAN, ("„", '"'), ("“", '"')),
        ]
    ),
    "chinese": Case(
        [
            CHINESE,
            changed(CHINESE, ("2019", "２０１９"), ("12.5%", "12.5％"), ("，", ","), ("“", "「")),
            "".join(CHINESE.split("\n")),
        ],
        [
            "阿尔巴港务局星期五宣布，将在新区建造三个渡轮码头。主席莫罗对记者表示，工程耗资9200万克朗，"
            "预计2027年完工。居民代表对此表示欢迎，并希望增加夜间班次。"
        ],
    ),
    "japanese": Case(
        [
            JAPANESE,
            changed(JAPANESE, ("2019", "２０１９"), ("12.5%", "12.5％"), ("「", "『"), ("」", "』")),
            "".join(JAPANESE.split("\n")),
        ],
        [
            "アルバ港湾局は金曜日、新しいフェリー乗り場を三つ建設すると発表した。モロー局長は記者団に対し、"
            "費用は9200万クローネで、完成は2027年になると述べた。住民の代表は歓迎している。"
        ],
    ),
    "thai": Case([THAI, THAI.replace("\n", " "), changed(THAI, ("12.5", "๑๒.๕"))]),
    "korean": Case(
        [KOREAN, changed(KOREAN, ("2019년", "２０１９년"), ("12.5%", "12.5 퍼센트"))],
        exact=False,
    ),
    "russian": Case([RUSSIAN, changed(RUSSIAN, ("12,5 процента", "12,5%"), ("млн", "млн."))]),
    "short": Case(
        [SHORT, changed(SHORT, ("40 people", "forty people")), changed(SHORT, ("early on Tuesday, ", ""))],
        [changed(SHORT, ("40", "12"), ("Port Alba", "Gull Point"), ("Tuesday", "Friday"))],
        exact=False,
    ),
    "one sentence": Case(
        [FLASH, changed(FLASH, ("3,200", "3 200"))],
        ["Storm closes the harbour of Westerby until Friday evening, and 14 trawlers shelter in the bay."],
    ),
}  # fmt: skip


def document(text: str, number: int, *, html: bool = False, title: str = "") -> Document:
    """The text as some outlet's page, under a headline of its own, ten minutes after the one before."""
    url = f"https://outlet{number}.example/news/{number}"
    title = title or f"Headline number {number}"
    body = text
    if html:
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.split("\n"))
        body = (
            f"<!doctype html><html><head><title>{title}</title><meta charset=utf-8></head><body>"
            f"<nav><a href=/>Home</a> <a href=/sport>Sport</a></nav><article><h1>{title}</h1>{paragraphs}"
            "</article><footer>All rights reserved</footer></body></html>"
        )
    at = NOON + timedelta(minutes=10 * number)
    return Document(
        location=url,
        url=url,
        body=body.encode(),
        media_type=MediaType.HTML if html else MediaType.TEXT,
        fetched_at=at + timedelta(hours=5),
        origin=Origin.JSONL,
        encoding="utf-8",
        claims=Claims(title=title, published_at=at.isoformat()),
    )


def store(engine: Engine, documents: Sequence[Document]) -> dict[str, reader.StoredArticle]:
    """Processes and stores the documents in two batches; returns the articles by URL."""
    outcomes = [process_document(document, SETTINGS) for document in documents]
    assert [o for o in outcomes if not isinstance(o, Article)] == []
    run = writer.start_run(engine, "test", NOON)
    middle = len(outcomes) // 2
    for batch in (outcomes[middle:], outcomes[:middle]):
        writer.write_batch(engine, run, batch, SETTINGS)
    return {article.url: article for article in reader.articles(engine)}


def kinds(engine: Engine, group_id: int) -> list[str]:
    members = reader.members(engine, group_id)
    return [pair.kind for member in members for pair in reader.copies(engine, member.id)]


def test_restyled_copies_are_found_and_look_alikes_are_not(engine: Engine) -> None:
    documents: list[Document] = []
    expected: list[list[str]] = []
    for case in CASES.values():
        for texts in (case.copies, *([text] for text in case.others)):
            made = [
                document(text, len(documents) + n, html=n % 2 == 1 and len(text) > 200)
                for n, text in enumerate(texts)
            ]
            documents += made
            expected.append([one.url for one in made])
    articles = store(engine, documents)
    groups: dict[int, list[str]] = {}
    for url, article in articles.items():
        groups.setdefault(article.group_id, []).append(url)
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, expected))
    names = iter(expected)
    for name, case in CASES.items():
        first = next(names)
        found = set(kinds(engine, articles[first[0]].group_id))
        assert (found == {"exact"}) is case.exact, (name, found)
        for _ in case.others:
            next(names)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("PORT ALBA (Reuters) - ", "\n(Reporting by Ann Lee; Editing by Bo Ray)", STORY),
        ("PORT ALBA, May 14 (Reuters) – ", "", STORY),
        ("PORT ALBA (AP) — ", "", STORY),
        ("", "\n— Reuters", STORY),
        ("", "\n(AFP)", STORY),
        ("Sankt Alba (dpa) - ", "", GERMAN),
        ("", "\ndpa/lno", GERMAN),
        ("АЛЬБА, 14 мая. /ТАСС/. ", "", RUSSIAN),
        ("新华社阿尔巴5月14日电 ", "", CHINESE),
        ("【アルバ共同】", "", JAPANESE),
    ],
    ids=[
        "dateline and sign-off", "dateline with date", "AP", "after a dash", "in brackets", "dpa",
        "dpa sign-off", "TASS", "Xinhua", "Kyodo",
    ],
)  # fmt: skip
@pytest.mark.parametrize("html", [False, True], ids=["text", "html"])
def test_copies_are_found_with_an_agencys_tag_at_either_end(
    engine: Engine, before: str, after: str, text: str, html: bool
) -> None:
    articles = store(engine, [document(text, 1, html=html), document(f"{before}{text}{after}", 2, html=html)])
    assert len({article.group_id for article in articles.values()}) == 1
    (kind,) = set(kinds(engine, next(iter(articles.values())).group_id))
    assert kind in ("exact", "near")


def test_a_text_in_two_languages_is_a_copy_of_one_and_no_bridge_to_the_other(engine: Engine) -> None:
    """A page that prints the story twice, in two languages, and the outlets that print one of them.

    It looks like a page of briefs that holds two stories, so it does not join them.
    """
    texts = [f"{STORY}\n{CHINESE}", f"{CHINESE}\n{STORY}", STORY, CHINESE, GERMAN]
    articles = store(engine, [document(text, n, html=n == 1) for n, text in enumerate(texts)])
    groups = [articles[f"https://outlet{n}.example/news/{n}"].group_id for n in range(len(texts))]
    assert groups[0] == groups[1]
    assert groups[0] in (groups[2], groups[3])
    assert len({groups[2], groups[3], groups[4]}) == 3, "a translation has no words in common"


def test_a_headline_with_one_sentence_is_grouped_by_its_sentence(engine: Engine) -> None:
    """The headline does not decide: two outlets have different headlines, and templates share one."""
    other = "Storm closes two schools in Lindby until Monday, and 180 pupils have to learn at home."
    articles = store(
        engine,
        [
            document(FLASH, 1, title="Storm closes airport"),
            document(FLASH, 2, title="Thousands stranded in Kaldvik"),
            document(other, 3, title="Storm closes airport"),
        ],
    )
    groups = [articles[f"https://outlet{n}.example/news/{n}"].group_id for n in (1, 2, 3)]
    assert groups[0] == groups[1] != groups[2]
