"""A question in other words, by a language model: passages that say it otherwise are found, too."""

from __future__ import annotations

from rag.search.ask import Ask
from rag.search.rewrite.asking import ask_about, entries, lost, spoken, unfit
from rag.search.rewrite.rewriting import Rewrite

_TOKENS = 160
_TASK = {
    "en": "Write {n} other ways to ask the question, each with different words but the same "
    "meaning, names and numbers. One a line, nothing else.",
    "ko": "질문을 뜻과 이름과 숫자는 같고 낱말은 다르게 {n}가지로 바꾸어 쓰세요. 한 줄에 하나씩, "
    "다른 말은 쓰지 마세요.",
}
_NAME = {"en": "Question", "ko": "질문"}


def multi(question: str, ask: Ask, n: int = 3) -> Rewrite:
    """Up to ``n`` paraphrases."""
    language = spoken(question)
    task, parts = _TASK[language].format(n=n), {_NAME[language]: question}
    found = entries(ask_about(ask, task, language, parts, _TOKENS))
    sound = (q for q in found if not (unfit(q, language) or lost(question, q)))
    fit = [q for q in sound if q.casefold() != question.casefold()][:n]
    if not fit:
        return Rewrite("multi", warning="the model gave no paraphrase")
    return Rewrite("multi", tuple(fit), "; ".join(fit))
