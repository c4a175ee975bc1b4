"""A Korean question in English, and any other in Korean, by a language model."""

from __future__ import annotations

from rag.analysis import detect
from rag.search.ask import Ask
from rag.search.rewrite.asking import ask_about, entries, lost, unfit
from rag.search.rewrite.rewriting import Rewrite

_TOKENS = 128
_TASK = {
    "ko": "Translate the Korean question into English. Keep numbers and names. Reply with the "
    "translation only.",
    "en": "영어 질문을 한국어로 옮기세요. 숫자와 이름은 그대로 두세요. 번역만 답하세요.",
}
"""By the question's language, in the one that is wanted."""
_NAME = {"ko": "Question", "en": "질문"}
_INTO = {"ko": "en", "en": "ko"}


def translate(question: str, ask: Ask) -> Rewrite:
    """The translation; nothing of a question that is neither Korean nor English."""
    source = detect(question)
    if source not in _INTO:
        return Rewrite("translate", note="the question is neither Korean nor English")
    into = _INTO[source]
    found = entries(ask_about(ask, _TASK[source], into, {_NAME[source]: question}, _TOKENS))
    if not found:
        return Rewrite("translate", warning="the model gave no translation")
    if why := unfit(found[0], into) or lost(question, found[0]):
        return Rewrite("translate", warning=f"the model's translation was not used: {why}")
    return Rewrite("translate", (found[0],), f"'{found[0]}'")
