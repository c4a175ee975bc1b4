"""A question of several parts as several questions, by a language model."""

from __future__ import annotations

from rag.search.ask import Ask
from rag.search.rewrite.asking import ask_about, entries, spoken, unfit
from rag.search.rewrite.rewriting import Rewrite

_TOKENS = 160
_MOST = 4
_TASK = {
    "en": "Does answering the question need several facts? If so, write the questions for each "
    "fact, {n} at most, each of which can be understood alone. One a line, nothing else. If it "
    "needs one fact, repeat the question.",
    "ko": "질문에 답하려면 여러 사실이 필요한가요? 그렇다면 각 사실을 묻는, 혼자 이해되는 질문을 "
    "{n}개 이내로 쓰세요. 한 줄에 하나씩, 다른 말은 쓰지 마세요. 한 가지 사실이면 질문을 그대로 "
    "되풀이하세요.",
}
_NAME = {"en": "Question", "ko": "질문"}


def decompose(question: str, ask: Ask) -> Rewrite:
    """Two sub-questions or more; none of a question that asks one thing."""
    language = spoken(question)
    task, parts = _TASK[language].format(n=_MOST), {_NAME[language]: question}
    found = entries(ask_about(ask, task, language, parts, _TOKENS))
    if not found:
        return Rewrite("decompose", warning="the model gave no questions")
    fit = [q for q in found if not unfit(q, language) and q.casefold() != question.casefold()]
    if len(fit) < 2:
        return Rewrite("decompose", note="it asks one thing")
    return Rewrite("decompose", tuple(fit[:_MOST]), "; ".join(fit[:_MOST]))
