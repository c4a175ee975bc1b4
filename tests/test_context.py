from __future__ import annotations

from dataclasses import replace

import pytest

from rag.answer.context import pack, render
from rag.errors import NotFound
from rag.types import Chunk, Hit

TEXT = "one two three four five six seven eight nine ten"


def hit(rank: int, text: str, title: str = "T", heading: tuple[str, ...] = ("H",)) -> Hit:
    chunk = Chunk("d", "v", rank, 0, len(text), text, "p.md", title, heading)
    return Hit(rank, 1.0 / rank, chunk, {})


def inner(rank: int, words: str, outer: tuple[int, int], lead: str = "") -> Hit:
    """A hit of ``words`` within ``TEXT[slice(*outer)]``."""
    start = TEXT.index(words)
    chunk = replace(hit(rank, words).chunk, start=start, end=start + len(words), lead=lead,
                    outer=outer)  # fmt: skip
    return Hit(rank, 1.0 / rank, chunk, {}, ((0, 3),))


def words(text: str) -> int:
    return len(text.split())


def text(document: str, version: str) -> str:
    assert (document, version) == ("d", "v")
    return TEXT


def test_passages_are_numbered_with_title_and_headings() -> None:
    assert render(2, hit(1, "Body.\n").chunk) == "[2] T > H\nBody."


def test_a_passage_without_title_keeps_its_first_line() -> None:
    assert render(1, hit(1, "First line.\nSecond.", "", ()).chunk) == "[1] \nFirst line.\nSecond."


def test_hits_fill_the_budget_and_long_ones_are_passed_over() -> None:
    hits = [hit(1, "one two three"), hit(2, "word " * 50), hit(3, "four five")]
    context, shown = pack(hits, 16, words, text)
    assert [h.rank for h in context.hits] == [1, 3]
    assert shown == ["[1] T > H\none two three", "[2] T > H\nfour five"]
    assert context.tokens == sum(words(s) for s in shown) <= 16


def test_a_first_passage_that_is_too_long_is_cut() -> None:
    context, shown = pack([hit(1, "word " * 500)], 40, words, text)
    assert [h.rank for h in context.hits] == [1]
    assert 20 <= context.tokens <= 40
    assert shown[0].startswith("[1] T > H\nword word")


def test_no_hits_no_context() -> None:
    context, shown = pack([], 100, words, text)
    assert (context.hits, context.tokens, shown) == ((), 0, [])


def test_a_lead_stands_above_the_text() -> None:
    led = replace(hit(1, "x | 1").chunk, lead="name | 값")
    assert render(1, led) == "[1] T > H\nname | 값\nx | 1"
    assert render(1, replace(led, title="", heading=())) == "[1] name | 값\nx | 1"


class TestLargerPassages:
    def test_what_is_found_small_is_read_large_and_stays_in_place(self) -> None:
        context, shown = pack([inner(1, "three four", (4, 23))], 100, words, text)
        (read,) = context.hits
        assert shown == ["[1] T > H\ntwo three four five"]
        assert (read.chunk.start, read.chunk.end) == (4, 23)
        assert read.chunk.text == TEXT[4:23]
        assert [read.chunk.text[a:b] for a, b in read.matches] == ["thr"]

    def test_parts_of_the_same_are_read_once(self) -> None:
        hits = [
            inner(1, "three", (4, 23)),
            inner(2, "five", (4, 23)),
            inner(3, "nine", (34, len(TEXT))),
        ]
        context, shown = pack(hits, 100, words, text)
        assert [h.rank for h in context.hits] == [1, 3]
        assert shown == ["[1] T > H\ntwo three four five", "[2] T > H\neight nine ten"]

    def test_one_that_does_not_fit_is_read_as_it_was_found(self) -> None:
        hits = [inner(1, "three", (0, len(TEXT))), inner(2, "five six", (0, len(TEXT)))]
        context, shown = pack(hits, 12, words, text)
        assert [h.chunk.text for h in context.hits] == ["three", "five six"]
        assert shown == ["[1] T > H\nthree", "[2] T > H\nfive six"]
        assert context.tokens == sum(map(words, shown)) <= 12

    def test_one_too_long_even_so_is_cut(self) -> None:
        context, shown = pack([inner(1, TEXT, (0, len(TEXT)))], 8, words, text)
        assert [h.chunk.text for h in context.hits] == [TEXT]
        assert shown[0].startswith("[1] T > H\none two")
        assert context.tokens <= 8

    def test_a_document_that_is_gone_leaves_what_was_found(self) -> None:
        def gone(document: str, version: str) -> str:
            raise NotFound("it has changed")

        context, shown = pack([inner(1, "three", (4, 23))], 100, words, gone)
        assert [h.chunk.text for h in context.hits] == ["three"]
        assert shown == ["[1] T > H\nthree"]

    @pytest.mark.parametrize(
        ("lead", "shown"),
        [("two", ""), ("head", "head\n"), ("About numbers.\ntwo", "About numbers.\n")],
    )
    def test_a_lead_that_the_larger_one_has_is_not_repeated(self, lead: str, shown: str) -> None:
        _, passages = pack([inner(1, "three", (4, 23), lead)], 100, words, text)
        assert passages == [f"[1] T > H\n{shown}two three four five"]
