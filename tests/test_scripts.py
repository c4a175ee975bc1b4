"""Words of every script, however they are written, find the passage that has them."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.chunk import whole
from indexer.rows import make_rows
from rag.analysis import Analyser, terms
from rag.analysis.stopwords import STOP_WORDS
from rag.index import Collection, Stat
from rag.search import Searcher
from rag.settings import Settings
from rag.types import Document

PAGES = (
    "FastAPI의 라우터를 C++와 Node.js로 2026년 11월에 만들었다.",
    "CVE-2024-5998은 v0.1.0에서 고쳤다. K8s와 hong@example.com",
    "大韓民國의 憲法은 國民의 權利를 정한다. 第一條",
    "ㅋㅋㅋ 값 책 김철수",
    "プログラミング言語 Python の本 ｶﾀｶﾅ ﾃｽﾄ ｶﾞｷﾞ",
    "中文检索引擎 2024年",
    "ﬁle ﬂow ＡＢＣ１２３ 𝐛𝐨𝐥𝐝 naïve Ångström É",
    "İstanbul'da güzel ışık var",
    "Große Straße STRASSE Füße",
    "l'été de l'eau d’orange aujourd'hui",
    "कِتاب नमस्ते दुनिया हिन्दी किताबें",
    "مرحبا بالعالم الكِتَابُ",
    "שָׁלוֹם עולם ספרים",
    "தமிழ் மொழி, বাংলা ভাষা",
    "สวัสดีชาวโลก ภาษาไทย",
    "ສະບາຍດີ ភាសាខ្មែរ မြန်မာဘာသာ",
    "Привет мир ёлка, Ελληνικά ΛΌΓΟΣ, ქართული",
    "def parse_file(x): return HTTPServer.get_url2(x)[0]",
    "top-10 IL-6 p53 1,234.5 192.168.0.1 10:30 x a",
)
Form = Literal["NFC", "NFD", "NFKC"]
STOPPED = frozenset().union(*STOP_WORDS.values())
WORDS = sorted(
    (word, page)
    for page, text in enumerate(PAGES)
    for word in set(text.split())
    if terms(word) and word.casefold() not in STOPPED
)


def made(folder: Path, texts: tuple[str, ...]) -> Searcher:
    analyser = Analyser()
    collection = Collection(folder / "c", create=True)
    collection.ensure("analyser", analyser.fingerprint)
    documents = [(Document(f"{i}", f"{i}", "", text), Stat()) for i, text in enumerate(texts)]
    collection.upsert(make_rows(documents, whole, analyser))
    return Searcher(collection, None, Settings(encoder="none", mode="bm25", fuzzy=False))


def found(searcher: Searcher, query: str) -> set[str]:
    return {hit.chunk.path for hit in searcher.search(query, 100).hits}


@pytest.fixture(scope="module")
def searcher(tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    return made(tmp_path_factory.mktemp("scripts"), PAGES)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
def test_each_word_of_a_page_finds_it(searcher: Searcher, form: Form) -> None:
    lost = [
        (word, PAGES[page])
        for word, page in WORDS
        if str(page) not in found(searcher, unicodedata.normalize(form, word))
    ]
    assert lost == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_in_whatever_company(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[str, int]]
) -> None:
    """Its page is then taken for another language, or for code."""
    mixed = [word for word, _ in words]
    searcher = made(tmp_path_factory.mktemp("mixed"), (" ".join(mixed), "other"))
    lost = [w for w in mixed if "0" not in found(searcher, w)]
    assert lost == []


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("istanbul", 7),
        ("カタカナ テスト", 4),
        ("ガギ", 4),
        ("été", 9),
        ("किताब", 10),
        ("किता*", 10),
        ("كتاب", 11),
        ("โลก", 14),
        ("អក្សរ ភាសា", 15),
        ("abc123", 6),
        ("strasse", 8),
        ("IL6", 18),
        ("대한민국", 2),
    ],
)
def test_written_otherwise(searcher: Searcher, query: str, page: int) -> None:
    assert str(page) in found(searcher, query)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("नमस्ते दुनिया", ["नमस्त", "दुनिय"]),
        ("الكِتَابُ", ["كتاب"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("ชาวโลก", ["ชา", "าว", "วโ", "โล", "ลก"]),
        ("ｶﾞｷ ガキ", ["ガキ", "ガキ"]),
        ("İstanbul", ["istanbul"]),
    ],
)
def test_terms_by_value(text: str, expected: list[str]) -> None:
    assert Analyser().terms(text) == expected


@pytest.mark.parametrize(
    "query", ['"top 10 cups"', '"top-10 cups"', '"top 10"', '"top-10"', "top-10"]
)
def test_a_phrase_has_a_number_joined_to_its_word_or_not(tmp_path: Path, query: str) -> None:
    searcher = made(tmp_path, ("My top 10 cups", "My Top-10 cups", "top cups 10", "10 top cups"))
    assert found(searcher, f"cups +{query}") == {"0", "1"}
    assert found(searcher, f"cups -{query}") == {"2", "3"}
