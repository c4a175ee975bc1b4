"""Blanks in questions, repaired by the words of a collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.chunk import whole
from indexer.rows import make_rows
from rag.analysis import Analyser
from rag.index import Collection, Stat
from rag.search.rewrite import Lexicon, Rewrite, rewrite
from rag.search.rewrite.repair import repair
from rag.types import Document, Filter

PAGES = {
    "ko/leave.md": "연차 휴가는 다음 해로 이월이 가능한가요? 이월은 열흘까지. 연차를 쓰세요.",
    "ko/kiln.md": "가마의 온도를 낮추는 방법을 알려 줍니다. 도자기는 천천히 식힙니다.",
    "ko/law.md": "기독교대한감리회는 총회에서 규칙을 정합니다. 이 책의 저자는 목사입니다.",
    "en/store.md": "The database keeps each order. A fast api answers in the price list of oil.",
    "en/wood.md": "The rainforest has trees. Colorado has mountains, and the forest has none.",
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return made(tmp_path_factory.mktemp("repair"), Analyser())


def made(folder: Path, analyser: Analyser) -> Collection:
    collection = Collection(folder / "c", create=True)
    collection.ensure("analyser", analyser.fingerprint)
    documents = [(Document(path, path, "", text), Stat()) for path, text in PAGES.items()]
    collection.upsert(make_rows(documents, whole, analyser))
    return collection


@pytest.fixture
def lexicon(collection: Collection) -> Lexicon:
    return Lexicon(collection, Analyser())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("연차 이 월", "연차 이월"),
        ("연차이월가능한가요", "연차 이월 가능한 가요"),
        ("가마의온도를낮추는방법", "가마의 온도를 낮추는 방법"),
        ("가 마의 온도를 낮추는 방 법", "가마의 온도를 낮추는 방법"),
        ("data base of orders", "database of orders"),
        ("What is the data base?", "What is the database?"),
        ("fastapi", "fast api"),
        ("priceof the Oil", "price of the Oil"),
        ("rain forest trees", "rainforest trees"),
    ],
)
def test_what_passages_have_otherwise_is_written_so(
    lexicon: Lexicon, written: str, meant: str
) -> None:
    made = repair(written, lexicon)
    assert made.queries == (meant,)
    assert made.kind == "repair"
    assert made.replaces


@pytest.mark.parametrize(
    "text",
    [
        "이 책의 저자는 누구인가요",
        "이 해의 규칙",
        "기독교대한감리회",
        "기독교대한감리회는 언제",
        "연차 휴가",
        "2024년 연차 30일 중",
        "fast api",
        "the forest rain",
        "price list",
        "Colordo",
        "datbase",
        "kubernetes",
        "to day",
        '"data base"',
        "+data base",
        "fastapi.com",
        "fast-api",
        "",
        "🙂",
        "x" * 500,
        "가" * 500,
    ],
)
def test_what_is_written_well_or_is_unknown_stays(lexicon: Lexicon, text: str) -> None:
    assert repair(text, lexicon) == Rewrite("repair")


def test_each_repair_is_named(lexicon: Lexicon) -> None:
    (made,) = rewrite(["repair"], "the data base, 연차 이 월", lexicon=lexicon)
    assert made.note == "'database' for 'data base', '연차 이월' for '연차 이 월'"
    assert made.queries == ("the database, 연차 이월",)


def test_passages_that_are_hidden_lend_no_words(collection: Collection) -> None:
    hidden = Filter({"path": ("en/wood.md",)})
    there = Lexicon(collection, Analyser(), hidden)
    assert repair("data base", there) == Rewrite("repair")
    assert repair("rain forest", there).queries == ("rainforest",)
    assert repair("연차 이 월", there) == Rewrite("repair")


def test_without_morphemes_korean_stays(tmp_path: Path) -> None:
    analyser = Analyser(korean="bigrams")
    lexicon = Lexicon(made(tmp_path, analyser), analyser)
    assert repair("연차 이 월", lexicon) == Rewrite("repair")
    assert repair("가마의온도를낮추는방법", lexicon) == Rewrite("repair")


def test_the_words_of_a_lexicon(lexicon: Lexicon) -> None:
    assert lexicon.known(["databas", "kubernet", "databas"]) == {"databas"}
    assert lexicon.nouns(["이월", "연차", "세금"]) == {"이월", "연차"}
    assert lexicon.occurs("price list")
    assert not lexicon.occurs("list price")
    assert lexicon.occurs("기독교대한감리회")
    assert not lexicon.occurs("대한기독교")
    assert lexicon.misspelt("databs")
    assert not lexicon.misspelt("kubernet")
