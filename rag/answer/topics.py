"""Topics on which no answer is given. Knows neither prompts nor models."""

from __future__ import annotations

from collections.abc import Sequence

from rag.analysis import Analyser, detect, is_morpheme

BLOCKED = {
    "ko": "이 주제에 대한 질문에는 답하지 않습니다.",
    "en": "Questions on this topic are not answered here.",
}


def blocked(language: str) -> str:
    """What is said instead of an answer."""
    return BLOCKED.get(language, BLOCKED["en"])


class Topics:
    """``named``, each a word or several: a text is on a topic that has all words of its name."""

    def __init__(self, named: Sequence[str], analyser: Analyser) -> None:
        self._analyser = analyser
        self._topics = [(name, self._words(name)) for name in named]

    def __bool__(self) -> bool:
        return bool(self._topics)

    def of(self, text: str) -> str:
        """The first topic that ``text`` is on; empty for none."""
        if not self._topics:
            return ""
        words = self._words(text) | frozenset(self._analyser.terms(text, "en"))
        return next((name for name, topic in self._topics if topic and topic <= words), "")

    def _words(self, text: str) -> frozenset[str]:
        """Stems and morphemes; where a dictionary has found morphemes, not the bigrams as well."""
        found = self._analyser.terms(text, detect(text))
        morphemes = frozenset(term for term in found if is_morpheme(term))
        return morphemes | {t for t in found if t.isascii()} if morphemes else frozenset(found)
