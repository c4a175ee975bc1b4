from __future__ import annotations

from rag.answer.context import pack, render
from rag.types import Chunk, Hit


def hit(rank: int, text: str, title: str = "T", heading: tuple[str, ...] = ("H",)) -> Hit:
    chunk = Chunk("d", "v", rank, 0, len(text), text, "p.md", title, heading)
    return Hit(rank, 1.0 / rank, chunk, {})


def words(text: str) -> int:
    return len(text.split())


def test_passages_are_numbered_with_title_and_headings() -> None:
    assert render(2, hit(1, "Body.\n").chunk) == "[2] T > H\nBody."


def test_a_passage_without_title_keeps_its_first_line() -> None:
    assert render(1, hit(1, "First line.\nSecond.", "", ()).chunk) == "[1] \nFirst line.\nSecond."


def test_hits_fill_the_budget_and_long_ones_are_passed_over() -> None:
    hits = [hit(1, "one two three"), hit(2, "word " * 50), hit(3, "four five")]
    context, shown = pack(hits, 16, words)
    assert [h.rank for h in context.hits] == [1, 3]
    assert shown == ["[1] T > H\none two three", "[2] T > H\nfour five"]
    assert context.tokens == sum(words(s) for s in shown) <= 16


def test_a_first_passage_that_is_too_long_is_cut() -> None:
    context, shown = pack([hit(1, "word " * 500)], 40, words)
    assert [h.rank for h in context.hits] == [1]
    assert 20 <= context.tokens <= 40
    assert shown[0].startswith("[1] T > H\nword word")


def test_no_hits_no_context() -> None:
    assert pack([], 100, words) == (pack([], 100, words)[0], [])
    assert pack([], 100, words)[0].hits == ()
