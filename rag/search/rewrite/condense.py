"""A follow-up in a conversation as a question that stands alone, by a language model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.search.ask import Ask
from rag.search.rewrite.asking import ask_about, entries, lost, spoken, unfit
from rag.search.rewrite.rewriting import Rewrite
from rag.types import Message

_TURNS, _SHOWN = 6, 500
"""Messages of the conversation that are shown, and characters of each."""
_TOKENS = 96
_TASK = {
    "en": "Rewrite the follow-up as one short question that can be understood without the "
    "conversation: put what words such as \"it\" or \"there\" mean in their place, keep all names "
    "and numbers, add nothing. If it stands alone, repeat it. Reply with the question only.",
    "ko": "이어진 질문을 대화 없이도 이해되는 짧은 질문 하나로 바꾸세요. '그것', '거기' 같은 말은 "
    "가리키는 것으로 바꾸고, 이름과 숫자는 모두 그대로 두고, 아무것도 덧붙이지 마세요. 이미 혼자 "
    "이해되면 그대로 되풀이하세요. 질문만 답하세요.",
}  # fmt: skip
_NAMES = {"en": ("Conversation", "Follow-up"), "ko": ("대화", "이어진 질문")}
_NAME = re.compile(r"(?<=[^.?!\s] )[A-Z][A-Za-z]{2,}|[A-Za-z]{2,}(?=[가-힣])")
"""As far as letters tell."""


def condense(question: str, history: Sequence[Message], ask: Ask) -> Rewrite:
    """``question`` without what only ``history`` explains; nothing to do without a history."""
    if not history:
        return Rewrite("condense")
    language = spoken(question)
    before, after = _NAMES[language]
    said = "\n".join(f"{m.role}: {m.content[:_SHOWN]}" for m in history[-_TURNS:])
    parts = {before: said, after: question}
    found = entries(ask_about(ask, _TASK[language], language, parts, _TOKENS))
    if not found:
        return Rewrite("condense", warning="the model gave no question")
    if why := unfit(found[0], language) or lost(question, found[0]) or _unnamed(question, found[0]):
        return Rewrite("condense", warning=f"the model's question was not used: {why}")
    if found[0] == question:
        return Rewrite("condense", note="it stands alone")
    return Rewrite("condense", (found[0],), f"'{found[0]}'")


def _unnamed(question: str, condensed: str) -> str:
    kept = condensed.casefold()
    missing = [name for name in _NAME.findall(question) if name.casefold() not in kept]
    return f"it lost {', '.join(missing)}" if missing else ""
