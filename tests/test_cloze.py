"""Questions made by rule: which sentences, which gaps, which headings, and what they become."""

from __future__ import annotations

import pytest

from eval import wording
from eval.cloze import Floor
from eval.draft import Draft, Kind
from eval.gaps import Gap, blanked, gaps, standing
from eval.passages import Passages, related, terms
from rag.index import Collection
from rag.types import Chunk
from tests.support.corpus import row

TEA = (
    "Green tea from Suncheon is brewed at 80 degrees in the porcelain kettle of the house.\n\n"
    "Guests of the Suncheon house drink barley water in winter, warmed over the old brazier."
)
BOATS = (
    "The ferry to Dokdo leaves the harbour of Ulleung with letters and parcels for the lighthouse."
    "\n\nSailors of Ulleung dry squid on bamboo racks that face the open sea in autumn."
)
KOREAN = (
    "순천의 녹차는 찻잎을 가마솥에서 덖은 다음 그늘에서 오래 말립니다.\n\n"
    "보성의 농부들은 이른 봄에 첫 찻잎을 바구니까지 가득 채워 시장에 냅니다."
)
BARNS = "\n\n".join(f"Barn {n} of the valley is painted {n} times a year." for n in range(20))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection(tmp_path_factory.mktemp("cloze") / "c", create=True)
    korean = row("ko.md", KOREAN, language="ko", title="차")
    titled = row("tea.md", TEA, title="Tea of Suncheon")
    made.upsert([titled, row("boats.md", BOATS, title="Ferries"), korean, row("barns.md", BARNS)])
    return made


def passage(collection: Collection, path: str, position: int = 0) -> Chunk:
    [known] = [d for d in collection.documents() if d.path == path]
    return collection.passages(known.id)[position]


def drafts(floor: Floor, kind: Kind, *passages: Chunk, language: str = "en") -> list[Draft]:
    made = [d for p in passages for d in floor.drafts(kind, p, language)]
    return [d for d in made if isinstance(d, Draft)]


def length(text: str) -> float:
    return float(len(text))


def test_only_sentences_that_stand_by_themselves_are_used() -> None:
    text = """# Brewing tea in the mountains of the south
Water from the **upper** spring is carried to the [tea house](house.md) every morning.
It is then heated slowly over the charcoal brazier in the yard.
These kettles are made of iron and hold about two litres of water.

- Not a sentence

| kettle | litres that it holds when it is filled to the brim. |

```sh
Boil the water in the kettle until it sings and then pour it out.
```

See https://example.org for a long list of all kettles and their prices.
Which kettle is the best for tea that is brewed in the early morning?
"""
    assert list(standing(text, "en")) == [
        "Water from the upper spring is carried to the tea house every morning."
    ]


def test_korean_sentences_that_lean_on_others_are_left_out() -> None:
    text = (
        "녹차는 그늘에서 말린 찻잎으로 우려야 맛이 부드럽고 향이 오래갑니다. "
        "이것은 순천의 오래된 찻집에서 배운 방법이라고 합니다. "
        "다음과 같은 순서로 찻잎을 덖고 말리면 향이 살아납니다. "
        "그늘에서 말린 찻잎."
    )
    expected = "녹차는 그늘에서 말린 찻잎으로 우려야 맛이 부드럽고 향이 오래갑니다."
    assert list(standing(text, "ko")) == [expected]


@pytest.mark.parametrize(
    ("sentence", "language", "expected"),
    [
        (
            "Tea from Mount Jiri is kept in the cellar of the inn until 1995.",
            "en",
            ["Mount Jiri", "cellar", "1995"],
        ),
        ("The option max_heat sets the temperature.", "en", ["temperature", "max_heat"]),
        ("Ideas by Karen Spa\u0308rck came with the X- prefix.", "en", ["Karen Spa\u0308rck"]),
        ("Add the boiling water slowly and with a steady hand.", "en", []),
        (
            "찻잎을 가마솥에서 덖고 소쿠리로 옮깁니다.",
            "ko",
            ["가마솥", "소쿠리", "찻잎"],
        ),
        ("RAG_LLM_URL을 1,200자까지 씁니다.", "ko", ["RAG_LLM_URL", "1,200"]),
        # verbs and adverbs that end like a noun with its particle
        ("마르지 않으므로 찾을 수 있을 때까지 그대로 기다렸다가 곧바로 적습니다.", "ko", []),
        ("도구만으로 만듭니다.", "ko", ["도구"]),
    ],
)
def test_gaps_are_names_numbers_and_nouns(
    sentence: str, language: str, expected: list[str]
) -> None:
    found = gaps(sentence, language, length)
    assert [gap.text for gap in found] == expected
    assert all(sentence[gap.start : gap.end] == gap.text for gap in found)


def test_a_blank_leaves_no_form_of_its_answer() -> None:
    def blank(sentence: str, word: str) -> str:
        start = sentence.index(word)
        return blanked(sentence, Gap(start, start + len(word), word, "noun", 1.0))

    assert blank("The kettle and the Kettle sing.", "kettle") == "The ___ and the ___ sing."
    assert blank("The kettle beside other kettles.", "kettle") == ""
    assert blank("The Accept header, not Accept-Language.", "Accept") == ""
    assert blank("The art of the party.", "art") == "The ___ of the party."
    assert blank("녹차를 마시고 녹차를 팝니다.", "녹차") == "___를 마시고 ___를 팝니다."


def test_a_cloze_asks_for_the_rarest_word_of_its_sentence(collection: Collection) -> None:
    made = drafts(Floor(collection), "single", passage(collection, "boats.md"))
    [cloze] = [d for d in made if d.method == "cloze"]
    text = BOATS.split("\n\n")[0]
    assert cloze.text == f"{text.replace(cloze.answer, '___')} What is ___?"
    assert cloze.answer == "Dokdo"
    assert cloze.sources == (passage(collection, "boats.md"),)


def test_korean_clozes_keep_the_particle(collection: Collection) -> None:
    [cloze] = [
        d
        for d in drafts(Floor(collection), "single", passage(collection, "ko.md"), language="ko")
        if d.method == "cloze"
    ]
    assert cloze.answer == "가마솥"
    assert "찻잎을 ___에서 덖은" in cloze.text
    assert cloze.text.endswith(" ___에 들어갈 말은?")


def test_two_passages_that_share_a_rare_term_make_one_question(collection: Collection) -> None:
    first, second = passage(collection, "tea.md"), passage(collection, "tea.md", 1)
    assert next(related(collection, first, "en")) == second
    [multi] = drafts(Floor(collection), "multi", first)
    assert multi.sources == (first, second)
    assert multi.text.endswith(" What is ___ in each?")
    one, other = multi.answer.split(", ")
    assert one in first.text
    assert other in second.text
    assert not terms(one + " " + other) & terms(multi.text)


def test_unanswerable_questions_join_what_no_passage_joins(collection: Collection) -> None:
    order = [passage(collection, p, n) for p in ("tea.md", "boats.md") for n in (0, 1)]
    made = drafts(Floor(collection), "unanswerable", *order)
    assert {d.method for d in made} == {"cloze", "title"}
    known = [p for d in collection.documents() for p in collection.passages(d.id)]
    for draft in made:
        asked = terms(draft.text) - terms("What is there to know about")
        assert not draft.answer
        assert not any(asked <= terms(p.context) for p in known)
    assert any(d.text == "What is there to know about Ferries in Tea of Suncheon?" for d in made)


@pytest.mark.parametrize(
    ("title", "above", "language", "expected"),
    [
        ("Wildcards", "CORS", "en", "What is there to know about wildcards in CORS?"),
        ("Allowed origins of CORS", "Service", "en",
         "What is there to know about Allowed origins of CORS?"),
        ("Install the package", "Start", "en", "How do I install the package?"),
        ("Testing", "", "en", "How does Testing work?"),
        ("`allow_origins`", "", "en", "What is there to know about allow_origins?"),
        ("2. About the spring", "", "en", "What is there to know about the spring?"),
        ("Why tea?", "", "en", "Why tea?"),
        ("Overview", "CORS", "en", ""),
        ("You are ready", "", "en", ""),
        ("0.12.1", "", "en", ""),
        ("In the morning", "", "en", ""),
        ("출처 목록", "교차 출처", "ko", "교차 출처에서 출처 목록은 무엇인가요?"),
        ("구절 나누기", "", "ko", "구절 나누기는 어떻게 하나요?"),
        ("구절의 크기", "", "ko", "구절의 크기는 무엇인가요?"),
        ("어떻게 우리나요?", "", "ko", "어떻게 우리나요?"),
        ("녹차를 우립니다", "", "ko", ""),
        ("개요", "차", "ko", ""),
    ],
)  # fmt: skip
def test_headings_become_questions_where_that_reads_well(
    title: str, above: str, language: str, expected: str
) -> None:
    assert wording.question(title, above, language, "A list of wildcards.") == expected


@pytest.mark.parametrize(
    ("word", "particle"),
    [
        ("목록", "은"), ("차", "는"), ("CORS", "는"), ("SQL", "은"), ("HTTP", "는"),
        ("OAuth2", "는"), ("E3", "은"), ("nginx", "는"), ("Python", "은"), ("template", "은(는)"),
        ("출처 목록(CORS)", "은"), ("설정()", "은"),
    ],
)  # fmt: skip
def test_the_topic_particle_follows_the_last_sound(word: str, particle: str) -> None:
    assert wording.topic(word) == particle


def test_passages_come_from_each_document_in_turn(collection: Collection) -> None:
    passages = Passages(collection, seed=4)
    drawn = [p for p in iter(lambda: passages.next("en"), None)]
    assert {p.path for p in drawn[:3]} == {"tea.md", "boats.md", "barns.md"}
    assert sorted(p.path for p in drawn[3:6]) == ["barns.md", "boats.md", "tea.md"]
    assert {p.path for p in drawn[6:]} == {"barns.md"}
    assert len({p.id for p in drawn}) == len(drawn) == 24
    korean = passages.next("ko")
    assert korean is not None
    assert korean.path == "ko.md"
    again, other = Passages(collection, seed=4), Passages(collection, seed=5)
    assert [again.next("en") for _ in drawn] == drawn
    assert [other.next("en") for _ in drawn] != drawn
