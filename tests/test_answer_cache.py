"""An answer is given again for the same question in other words, and for no other question."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.analysis import Analyser
from rag.answer.cache import AnswerCache, Asked, asked
from rag.answer.particulars import particulars
from rag.search import Searcher
from rag.types import Answer, Filter, Message, SearchResult
from rag.workspace import Workspace
from tests.support import docs
from tests.support.corpus import row

ANALYSER = Analyser()
QUESTION = "What temperature is green tea brewed at?"
REWORDED = "At what temperature is green tea brewed?"
WRITER = ("zero-shot", "", "smollm2")


@pytest.fixture
def saem(tmp_path: Path) -> Workspace:
    workspace = Workspace(docs.settings(tmp_path / "home"))
    docs.index(workspace, docs.write(tmp_path / "pages"))
    return workspace


def answer(question: str = QUESTION, text: str = "At 80 degrees [1].", **changes: object) -> Answer:
    return replace(Answer(question, text, False, (), ()), **changes)  # type: ignore[arg-type]


def ask(searcher: Searcher, question: str, *, cosine: float = 1.0, **how: object) -> Asked:
    """``question`` with a vector of that cosine to the first axis."""
    found = asked(searcher, question, **({"writer": WRITER} | how))  # type: ignore[arg-type]
    assert found is not None
    vector = np.zeros(4, np.float32)
    vector[:2] = cosine, np.sqrt(1 - cosine**2)
    return replace(found, vector=vector)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (QUESTION, REWORDED),
        ("What is the capital of France?", "What's the capital of France"),
        ("Which court is the highest court in the EU?", "What is the highest court in the EU?"),
        ("Where do ctenophora live?", "Where does a ctenophora live?"),
        ("How long is a term, 30,000 days?", "How long are terms, 30000 days?"),
        ("녹차는 몇 도에서 우립니까?", "녹차를 몇 도에서 우립니까"),
        ("프랑스왕 루이 16세의 왕비는 누구인가?", "프랑스왕 루이 16세 왕비는 누구?"),
        ("2014년에 싸이버스카이의 매출은 얼마였는가?", "싸이버스카이의 2014년 매출은 얼마였나?"),
    ],
)
def test_wordings_of_one_question(one: str, other: str) -> None:
    assert particulars(one, ANALYSER) == particulars(other, ANALYSER)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What happened in 1953?", "What happened in 1954?"),
        ("Which term lasts two years?", "Which term lasts three years?"),
        ("What is 3만 원?", "What is 4만 원?"),
        ("세 번째 왕은 누구인가?", "네 번째 왕은 누구인가?"),
        ("삼십 년 전쟁은 언제인가?", "이십 년 전쟁은 언제인가?"),
        ("Who visited France after Germany?", "Who visited Germany after France?"),
        ("How do I set allow_origins?", "How do I set allow_methods?"),
        ('Who said "green tea"?', 'Who said "black tea"?'),
        ("CORS는 무엇인가?", "CSRF는 무엇인가?"),
        ("‘봄’은 누가 썼나?", "‘가을’은 누가 썼나?"),
        ("Which court argued so?", "Which court did not argue so?"),
        ("Who was exempt?", "Who wasn't exempt?"),
        ("Is it supported?", "Is it unsupported?"),
        ("홍차를 마시면 되나?", "홍차를 마시면 안 되나?"),
        ("설정을 켤 수 있나?", "설정을 켤 수 없나?"),
        ("Who was the king ranked above?", "Who was the king ranked below?"),
        ("What effect has trade with poorer countries on richer ones?",
         "What effect has trade with richer countries on poorer ones?"),
        ("What was sent to Rome?", "What was sent from Rome?"),
        ("When did it begin?", "Where did it begin?"),
        ("What are auricles?", "What do the auricles do?"),
        ("how is green tea brewed", "how is black tea brewed"),
        ("김희선의 생일은 언제인가?", "김희선의 데뷔는 언제인가?"),
        ("포켓몬이 일본에서 나온 해는?", "포켓몬이 유럽에서 나온 해는?"),
        ("What is green tea?", "녹차란 무엇인가?"),
        ("Warum ist der Tee grün?", "Warum ist der Tee nicht grün?"),
    ],
)  # fmt: skip
def test_other_questions(one: str, other: str) -> None:
    assert particulars(one, ANALYSER) != particulars(other, ANALYSER)


class TestAnswers:
    def test_come_back_for_other_words_as_like_as_asked(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9)
        cache.put(ask(searcher, QUESTION), answer())
        assert cache.get(ask(searcher, QUESTION)) == answer()
        assert cache.get(ask(searcher, REWORDED, cosine=0.95)) == answer(REWORDED)
        assert cache.get(ask(searcher, REWORDED, cosine=0.85)) is None
        assert cache.get(ask(searcher, "What temperature is black tea brewed at?")) is None

    def test_the_most_like_wording_counts(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.5)
        cache.put(ask(searcher, QUESTION, cosine=0.6), answer(text="far"))
        cache.put(ask(searcher, REWORDED, cosine=0.9), answer(text="near"))
        found = cache.get(ask(searcher, QUESTION + " ", cosine=1.0))
        assert found == answer(text="near")

    @pytest.mark.parametrize(
        "how",
        [
            {"writer": ("react", "", "smollm2")},
            {"writer": ("zero-shot", "teacher", "smollm2")},
            {"writer": ("zero-shot", "", "another")},
            {"epoch": "2"},
            {"top_k": 3},
            {"mode": "bm25"},
            {"filter": Filter(groups=("staff",))},
            {"filter": Filter(groups=("hr",))},
            {"filter": Filter(path="en/**")},
        ],
    )
    def test_of_no_other_person_program_or_search(
        self, saem: Workspace, how: dict[str, object]
    ) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9)
        mine: dict[str, object] = {"filter": Filter(groups=())}
        cache.put(ask(searcher, QUESTION, **mine), answer())
        assert cache.get(ask(searcher, QUESTION, **mine)) is not None
        assert cache.get(ask(searcher, QUESTION, **(mine | how))) is None

    def test_none_outlives_a_commit(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9)
        cache.put(ask(searcher, QUESTION), answer())
        searcher.collection.upsert([row("new.md", "Green tea at 70 degrees.")])
        assert cache.get(ask(searcher, QUESTION)) is None

    def test_nor_another_setting(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9)
        cache.put(ask(searcher, QUESTION), answer())
        settings = searcher.settings.replace(min_confidence=0.9)
        other = Searcher(searcher.collection, searcher.encoder, settings)
        assert cache.get(ask(other, QUESTION)) is None

    @pytest.mark.parametrize("change", [{"abstained": True}, {"degraded": "LLMTimeout"}])
    def test_that_are_none_are_not_held(self, saem: Workspace, change: dict[str, object]) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9)
        cache.put(ask(searcher, QUESTION), answer(**change))
        assert cache.get(ask(searcher, QUESTION)) is None
        assert len(cache) == 0

    def test_are_held_only_when_asked_for(self, saem: Workspace) -> None:
        cache = AnswerCache(0.0)
        cache.put(ask(saem.searcher(), QUESTION), answer())
        assert cache.get(ask(saem.searcher(), QUESTION)) is None
        assert len(cache) == 0

    def test_the_longest_unasked_go(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9, size=2)
        first, second, third = (ask(searcher, f"What is tea number {n}?") for n in (1, 2, 3))
        for each in (first, second):
            cache.put(each, answer())
        assert cache.get(first)
        cache.put(first, answer(text="again"))
        cache.put(third, answer())
        assert [bool(cache.get(each)) for each in (first, second, third)] == [True, False, True]
        assert cache.get(first) == answer(first.question, "again")
        assert len(cache) == 2

    def test_threads_share_one(self, saem: Workspace) -> None:
        searcher, cache = saem.searcher(), AnswerCache(0.9, size=5)
        all_ = [ask(searcher, f"What is tea number {n}?") for n in range(9)]
        wrong: list[object] = []

        def work(start: int) -> None:
            try:
                for turn in range(500):
                    each = all_[(start + turn * 4) % 9]
                    cache.put(each, answer(each.question))
                    found = cache.get(all_[(start + turn) % 9])
                    if found not in (None, answer(all_[(start + turn) % 9].question)):
                        wrong.append(found)
            except Exception as e:
                wrong.append(e)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(cache) == 5


def test_questions_are_asked_by_the_encoder(saem: Workspace) -> None:
    searcher = saem.searcher()
    assert searcher.encoder is not None
    found = asked(searcher, f" {QUESTION}\n", writer=WRITER)
    assert found is not None
    assert found.question == QUESTION
    assert found.vector.tolist() == searcher.encoder.query(QUESTION).tolist()
    assert asked(Searcher(searcher.collection, None, searcher.settings), QUESTION) is None


def test_the_workspace_gives_an_answer_again_where_that_is_wanted(tmp_path: Path) -> None:
    saem = Workspace(docs.settings(tmp_path / "home", answer_cache=0.5))
    docs.index(saem, docs.write(tmp_path / "docs"))
    first = saem.answerer().ask("How is black tea made?")
    found, text, again = saem.answerer().stream("How was the black tea made?")
    assert isinstance(found, SearchResult)
    assert isinstance(again, Answer)
    assert (found.cached, text, again.cached) == (True, first.text, True)
    assert (again.question, again.citations) == ("How was the black tea made?", first.citations)
    assert not saem.answerer().ask("How is green tea made?").cached
    history = [Message("user", "Hi")]
    assert not saem.answerer().ask("How is black tea made?", history=history).cached
    saem.close()
