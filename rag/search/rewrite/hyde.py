"""A passage that might answer the question, to find real ones like it, by a language model.

Gao, Ma, Lin and Callan (2022), "Precise Zero-Shot Dense Retrieval without Relevance Labels"; there
the means of several passages' vectors is searched with, here one passage's beside the question's.
It may be wrong in all it says, so it is only searched for by its vector, and never shown as found.
"""

from __future__ import annotations

from rag.search.ask import Ask
from rag.search.rewrite.asking import ask_about, entries, spoken, unfit
from rag.search.rewrite.rewriting import Rewrite

_TOKENS = 160
_LONGEST = 1200
_SHOWN = 100
_TASK = {
    "en": "Write a short passage, three sentences at most, as an encyclopaedia or a manual would "
    "have it, that answers the question. Reply with the passage only.",
    "ko": "질문에 답하는 짧은 글을 백과사전이나 설명서처럼 세 문장 이내로 쓰세요. 글만 답하세요.",
}
_NAME = {"en": "Question", "ko": "질문"}


def hyde(question: str, ask: Ask) -> Rewrite:
    """One hypothetical passage."""
    language = spoken(question)
    reply = ask_about(ask, _TASK[language], language, {_NAME[language]: question}, _TOKENS)
    passage = " ".join(entries(reply))[:_LONGEST]
    if not passage:
        return Rewrite("hyde", warning="the model gave no passage")
    if why := unfit(passage, language, _LONGEST):
        return Rewrite("hyde", warning=f"the model's passage was not used: {why}")
    shown = passage if len(passage) <= _SHOWN else f"{passage[:_SHOWN]}…"
    return Rewrite("hyde", (passage,), shown)
