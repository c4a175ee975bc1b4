"""What an answer says when it abstains."""

from __future__ import annotations

REFUSAL = {
    "ko": "주어진 문서에서 답을 찾지 못했습니다.",
    "en": "I could not find the answer in the documents.",
}


def refusal(language: str) -> str:
    return REFUSAL.get(language, REFUSAL["en"])


def is_refusal(text: str) -> bool:
    """Whether a model's whole answer is one of the refusals that it was told to use."""
    words = text.strip().strip('"').casefold()
    return any(words.startswith(r.rstrip(".").casefold()) for r in REFUSAL.values())
