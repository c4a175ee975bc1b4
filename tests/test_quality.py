from __future__ import annotations

import pytest

from indexer.quality import noise, without_noise
from indexer.readers.building import Builder
from rag.types import Document


@pytest.mark.parametrize("text", ["", " \n\t", "—", "..", "a!", "* * *", "ab"])
def test_hardly_any_text(text: str) -> None:
    assert noise(text) == "has hardly any text"


@pytest.mark.parametrize(
    "text", ["FAQ", "차를 끓임", "3.14", "x = 12", "# Title", "日本語", "a b c"]
)
def test_little_text_may_be_of_use(text: str) -> None:
    assert noise(text) == ""


def test_texts_of_characters_that_stand_for_others() -> None:
    assert "is unreadable: 9 of 12" in noise(
        "\ufffd\ufffd\ufffd \ue001\ue002\ue003 abc \x01\x02\x03"
    )
    assert noise("One \ufffd in a sentence of many words is a slip.") == ""


def test_pages_of_noise_are_left_out_and_the_others_stay() -> None:
    b = Builder()
    for text in ("The first page.", "\ue001\ue002\ue003\ue004 \ue005\ue006 abc", "The third page."):
        b.page()
        b.paragraph(text)
    parsed = b.parsed()
    whole = Document("u", "p", "", parsed.text, parsed.blocks, pages=parsed.pages)
    left, said = without_noise(whole)
    assert [left.text[x.start : x.end] for x in left.blocks] == [
        "The first page.",
        "The third page.",
    ]
    assert said == ["page 2 is unreadable: 6 of 9 characters are no letters or signs"]
    assert without_noise(left) == (left, said)
    sound = Document("u", "p", "", "The first page.", parsed.blocks[:1], pages=(0,))
    assert without_noise(sound) == (sound, [])
