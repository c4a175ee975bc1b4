from __future__ import annotations

import pytest

from rag.analysis import Analyser
from rag.answer import Answerer
from rag.answer.tongue import is_in
from rag.answer.topics import BLOCKED, Topics
from rag.types import Answer, Message, SearchResult
from rag.workspace import Workspace
from tests.support.fake_llm import FakeLLM
from tests.support.scripted import Scripted

TOPICS = Topics(["salary", "medical advice", "연봉", "개인 정보"], Analyser())


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What are the salaries of the staff?", "salary"),
        ("Can you give me advice on a medical matter?", "medical advice"),
        ("Who gives advice?", ""),
        ("김 대리의 연봉은 얼마입니까?", "연봉"),
        ("개인의 정보를 어떻게 다루나요?", "개인 정보"),
        ("개인 접시가 있나요?", ""),
        ("", ""),
    ],
)
def test_a_text_is_on_a_topic_that_has_all_its_words(text: str, topic: str) -> None:
    assert TOPICS.of(text) == topic


def test_a_question_on_a_blocked_topic_searches_and_tells_nothing(saem: Workspace) -> None:
    saem.settings = saem.settings.replace(blocked=("black tea", "홍차"))
    for question, language in (("How is black tea made?", "en"), ("홍차는 어떻게 우리나요?", "ko")):
        found, given = Answerer(saem.searcher()).stream(question)
        assert isinstance(found, SearchResult)
        assert isinstance(given, Answer)
        assert found.hits == given.hits == given.citations == ()
        assert (given.abstained, given.text) == (True, BLOCKED[language])


def test_an_answer_on_a_blocked_topic_is_not_given_nor_streamed(saem: Workspace) -> None:
    settings = saem.settings.replace(blocked=("boiling water",))
    saem.settings = settings
    with FakeLLM(reply="Black tea needs boiling water [1].") as fake:
        saem.settings = settings.replace(llm_url=fake.url)
        _, given = saem.answerer().stream("How is black tea made?")
    assert isinstance(given, Answer)
    assert (given.abstained, given.text, given.hits) == (True, BLOCKED["en"], ())


def test_a_quotation_on_a_blocked_topic_is_not_given(saem: Workspace) -> None:
    saem.settings = saem.settings.replace(blocked=("boiling water",))
    found, given = Answerer(saem.searcher()).stream("How is black tea made?")
    assert isinstance(found, SearchResult)
    assert isinstance(given, Answer)
    assert (given.abstained, given.text, given.citations) == (True, BLOCKED["en"], ())


def test_a_step_on_a_blocked_topic_is_not_shown(saem: Workspace) -> None:
    saem.settings = saem.settings.replace(blocked=("salary",))
    llm = Scripted("Salaries are high. The answer is: Black tea needs boiling water [1].")
    events = list(
        Answerer(saem.searcher(), llm).stream("How is black tea made?", program="chain-of-thought")
    )
    given = events[-1]
    assert isinstance(given, Answer)
    assert (given.text, given.steps) == ("Black tea needs boiling water [1].", ())
    assert len(events) == 2


def test_a_question_that_the_conversation_puts_on_a_blocked_topic_finds_nothing(
    saem: Workspace,
) -> None:
    saem.settings = saem.settings.replace(blocked=("black tea",), rewrite=("condense",))
    searcher = saem.searcher()
    searcher._ask = lambda *_: "How is black tea made?"
    before = [Message("user", "What is tea?"), Message("assistant", "A drink.")]
    found, given = Answerer(searcher).stream("And how is the black one made?", history=before)
    assert isinstance(found, SearchResult)
    assert isinstance(given, Answer)
    assert found.hits == given.hits == ()
    assert given.text == BLOCKED["en"]


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("홍차는 끓는 물이 필요합니다 [1].", "ko", True),
        ("`FastAPI`의 CORSMiddleware를 씁니다.", "ko", True),
        ("Black tea needs boiling water [1].", "ko", False),
        ("Black tea needs boiling water [1].", "en", True),
        ("홍차는 끓는 물이 아주 많이 필요합니다 [1].", "en", False),
        ("42 [1]", "ko", True),
        ("La réponse est dans le texte.", "fr", True),
        ("紅茶にはお湯が必要ですよねそうです。", "ja", True),
        ("红茶需要开水冲泡才能好喝哦真的。", "ja", False),
    ],
)
def test_letters_tell_the_language(text: str, language: str, right: bool) -> None:
    assert is_in(text, language) is right


def test_an_answer_in_another_language_is_said_again_in_the_questions(saem: Workspace) -> None:
    def reply(messages: list[dict[str, str]]) -> str:
        if messages[-1]["content"] == "Black tea needs boiling water [1].":
            assert "한국어로 옮기세요" in messages[0]["content"]
            return "홍차는 끓는 물이 필요합니다 [1]."
        return "Black tea needs boiling water [1]."

    with FakeLLM(reply=reply) as fake:
        saem.settings = saem.settings.replace(llm_url=fake.url)
        given = saem.answerer().ask("홍차는 끓는 물이 필요한가요?")
    assert given.text == "홍차는 끓는 물이 필요합니다 [1]."
    assert given.citations[0].quote == "홍차는 끓는 물이 필요합니다."
    assert not given.warnings


def test_an_answer_that_stays_in_another_language_says_so(saem: Workspace) -> None:
    with FakeLLM(reply="Black tea needs boiling water [1].") as fake:
        saem.settings = saem.settings.replace(llm_url=fake.url)
        given = saem.answerer().ask("홍차는 끓는 물이 필요한가요?")
    assert any("another language" in warning for warning in given.warnings)
