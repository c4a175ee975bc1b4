from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.cited import CitedText
from rag.answer.evidence import Evidence
from rag.types import Chunk, Hit

TEXTS = (
    "Green tea is brewed at 80 degrees. Black tea needs boiling water.",
    "한국의 수도는 서울이다. 부산은 항구 도시이다.",
)


def hits() -> list[Hit]:
    out = []
    for n, text in enumerate(TEXTS, 1):
        chunk = Chunk(f"d{n}", "v", 0, 100, 100 + len(text), text, f"{n}.md", "")
        out.append(Hit(n, 1.0, chunk, {}))
    return out


def run(*deltas: str) -> tuple[str, list[str], int]:
    cited = CitedText(Evidence(hits()), passages=2)
    text = "".join([*(cited.feed(d) for d in deltas), cited.end()])
    return text, [q.text for q in cited.quotes], cited.dropped


@pytest.mark.parametrize(
    ("answer", "text", "quotes", "dropped"),
    [
        # markers before or after the full stop, alone or several
        ("Black tea needs boiling water [1].", "Black tea needs boiling water [1].",
         ["Black tea needs boiling water."], 0),
        ("Black tea: boiling. [1] Seoul is it. [2]", "Black tea: boiling. [1] Seoul is it. [2]",
         ["Black tea needs boiling water.", "한국의 수도는 서울이다."], 0),
        ("Tea [1, 2].", "Tea [1][2].",
         ["Green tea is brewed at 80 degrees.", "한국의 수도는 서울이다."], 0),
        # a passage that does not exist
        ("Black tea needs boiling water [7]. So.", "Black tea needs boiling water. [1] So.",
         ["Black tea needs boiling water."], 1),
        ("Moon cheese [0][3] is old.", "Moon cheese is old.", [], 2),
        # a sentence without a marker that a passage bears out gets one
        ("Green tea is brewed at 80 degrees. It rains.",
         "Green tea is brewed at 80 degrees. [1] It rains.",
         ["Green tea is brewed at 80 degrees."], 0),
        ("한국의 수도는 서울이다.\n부산은 항구 도시이다.",
         "한국의 수도는 서울이다. [2]\n부산은 항구 도시이다. [2]",
         ["한국의 수도는 서울이다.", "부산은 항구 도시이다."], 0),
        # brackets that are no markers
        ("An array[0], `tea[1]` and [link] stay.", "An array[0], `tea[1]` and [link] stay.", [], 0),
        ("```\nx = tea[1]\n```", "```\nx = tea[1]\n```", [], 0),
        ("```\nBlack tea needs boiling water\n```\nBlack tea needs boiling water",
         "```\nBlack tea needs boiling water\n```\nBlack tea needs boiling water [1]",
         ["Black tea needs boiling water."], 0),
        ("An odd ` tick.\nBlack tea needs boiling water.",
         "An odd ` tick.\nBlack tea needs boiling water. [1]",
         ["Black tea needs boiling water."], 0),
        ("A list [], a box [ ] and [" + "1" * 5000 + "].",
         "A list [], a box [ ] and [" + "1" * 5000 + "].", [], 0),
        ("", "", [], 0),
    ],
)  # fmt: skip
def test_by_value(answer: str, text: str, quotes: list[str], dropped: int) -> None:
    assert run(answer) == (text, quotes, dropped)


@given(st.lists(st.integers(1, 60), max_size=12), st.integers(0, 3))
def test_the_result_does_not_depend_on_how_the_stream_is_cut(cuts: list[int], which: int) -> None:
    answer = (
        "Black tea needs boiling water [1]. It rains [9]. 한국의 수도는 서울이다. [2] End",
        "Green tea is brewed at 80 degrees. [1][2]\n\n- a\n- b [1]",
        "[1] [2",
        "one [ 1 , 2 ] two",
    )[which]
    places = sorted({c for c in cuts if c < len(answer)})
    pieces = [answer[a:b] for a, b in zip([0, *places], [*places, len(answer)], strict=True)]
    assert run(*pieces) == run(answer)


def test_a_loop_is_noticed() -> None:
    cited = CitedText(Evidence(hits()), passages=2)
    cited.feed("Black tea needs boiling water. No. No. It rains in Seoul today. ")
    assert not cited.looping
    cited.feed("Black tea needs boiling water. So")
    assert cited.looping


@pytest.mark.parametrize("loop", ["return 200, 200, 200, 200, ", "# So. # So. # So. # So. "])
def test_a_stutter_is_noticed(loop: str) -> None:
    cited = CitedText(Evidence(hits()), passages=2)
    for character in "| a | b | c | d |\n| --- | --- | --- | --- |\n":
        cited.feed(character)
    assert not cited.looping
    for character in loop:
        cited.feed(character)
    assert cited.looping


def test_code_counts_as_supported_only_if_a_passage_holds_it() -> None:
    chunk = Chunk("d", "v", 0, 0, 40, "Do it:\n\n```python\nx = f(1)\n```", "p.md", "")
    cited = CitedText(Evidence([Hit(1, 1.0, chunk, {})]), passages=1)
    cited.feed("```python\n x = f( 1 )\ny = g(2)\n```\n")
    cited.end()
    assert cited.code == [True, False]


def test_quotes_are_the_documents_own_characters() -> None:
    cited = CitedText(Evidence(hits()), passages=2)
    cited.feed("Black tea needs boiling water [1].")
    cited.end()
    (quote,) = cited.quotes
    assert TEXTS[0][quote.start - 100 : quote.end - 100] == quote.text


def test_text_is_shown_as_it_comes_but_never_half_a_marker() -> None:
    cited = CitedText(Evidence(hits()), passages=2)
    assert cited.feed("Black tea needs ") == "Black tea needs"
    assert cited.feed("boiling water [") == " boiling water"
    assert cited.feed("1") == ""
    assert cited.feed("]") == " [1]"
    assert cited.feed(".") == "."
    assert cited.end() == ""


def test_a_passage_without_a_sentence_is_not_cited() -> None:
    rule = Hit(1, 1.0, Chunk("d", "v", 0, 0, 5, "* * *", "p.md", ""), {})
    cited = CitedText(Evidence([rule]), passages=1)
    assert cited.feed("Tea is hot [1].") + cited.end() == "Tea is hot."
    assert (cited.dropped, cited.quotes) == (1, [])


def test_blanks_and_brackets_in_one_piece_take_no_longer_than_they_are_long() -> None:
    cited = CitedText(Evidence(hits()), passages=2)
    blanks = " " * 200_000
    assert cited.feed(f"Tea{blanks}is") == f"Tea{blanks}is"
    assert cited.feed(blanks + "[ 1") == ""
    assert cited.feed("]") == blanks + "[1]"
