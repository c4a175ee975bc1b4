"""What passes the screen, what stands for what, and what is remembered between runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.ledger import Ledger
from indexer.reading import Reading
from indexer.screen import Screen, Verdict
from rag.rules import Rule
from rag.settings import Settings
from rag.types import Block, Document

LONG = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(300))
FOOTER = "Read more about all our teas on the next page."


def reading(uri: str, text: str, *, verbatim: bool = True) -> Reading:
    blocks = (Block("paragraph", 0, len(text)),)
    document = Document(uri, f"{uri}.md", "", text, blocks, {"format": "html"})
    return Reading(uri, f"{uri}.md", document, verbatim=verbatim)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def judged(screen: Screen, *readings: Reading) -> dict[str, Verdict]:
    found = {v.reading.uri: v for v in screen.through(readings)}
    with screen.ledger.transaction():
        screen.write()
    return found


def screen(ledger: Ledger, living: set[str] | None = None, **settings: object) -> Screen:
    return Screen(Settings().replace(**settings), ledger, living or set())


def test_the_first_of_equal_texts_is_kept_and_the_others_name_it(ledger: Ledger) -> None:
    found = judged(
        screen(ledger), reading("a", LONG), reading("b", LONG), reading("c", LONG + " more")
    )
    assert found["a"].document is not None
    assert (found["b"].keeper, found["b"].why) == ("a", "says the same as another document")
    assert found["c"].keeper == "a"
    assert found["c"].why.startswith("says nearly the same (0.9")


def test_it_is_known_in_the_next_run_as_long_as_the_document_lives(ledger: Ledger) -> None:
    judged(screen(ledger), reading("a", LONG))
    assert judged(screen(ledger, {"a"}), reading("b", LONG))["b"].keeper == "a"
    assert judged(screen(ledger), reading("c", LONG))["c"].document is not None


def test_a_document_may_be_read_again(ledger: Ledger) -> None:
    judged(screen(ledger), reading("a", LONG))
    assert judged(screen(ledger), reading("a", LONG))["a"].document is not None


def test_the_share_is_a_setting_and_zero_keeps_everything(ledger: Ledger) -> None:
    half = " ".join(LONG.split()[:150]) + " other" * 20
    one = judged(screen(ledger, near_duplicates=0.3), reading("a", LONG), reading("b", half))
    assert one["b"].keeper == "a"
    every = judged(screen(ledger, near_duplicates=0), reading("c", LONG), reading("d", LONG))
    assert all(v.document for v in every.values())


def test_noise_is_left_out_unless_all_is_wanted(ledger: Ledger) -> None:
    assert judged(screen(ledger), reading("a", "—"))["a"].why == "has hardly any text"
    assert judged(screen(ledger, quality=False), reading("a", "—"))["a"].document is not None


def pages(start: int, count: int) -> list[Reading]:
    return [
        reading(f"p{n}", f"Page {n} is on a tea of its own.\n{FOOTER}", verbatim=False)
        for n in range(start, start + count)
    ]


def test_repeated_lines_go_are_told_and_stay_known(ledger: Ledger) -> None:
    first = screen(ledger)
    found = judged(first, *pages(0, 9))
    assert {v.document.text.strip() for v in found.values() if v.document} == {
        f"Page {n} is on a tea of its own." for n in range(9)
    }
    assert [(e.path, e.why) for e in first.cut] == [
        ("all of html", f"the line “{FOOTER}” stands in 9 of 9 documents")
    ]
    later = judged(screen(ledger, set(found)), *pages(20, 1))
    assert later["p20"].document is not None
    assert FOOTER not in later["p20"].document.text
    off = screen(ledger, quality=False)
    kept = judged(off, *pages(30, 1))["p30"].document
    assert kept is not None
    assert FOOTER in kept.text
    assert ledger.entries("dropped") == []


def test_texts_that_are_the_files_own_keep_their_lines(ledger: Ledger) -> None:
    own = [reading(f"m{n}", f"Text {n}.\n{FOOTER}") for n in range(12)]
    found = judged(screen(ledger, near_duplicates=0), *own)
    assert all(v.document and FOOTER in v.document.text for v in found.values())


def test_rules_come_before_duplicates(ledger: Ledger) -> None:
    rules = (Rule("b.md", {}, ("board",)), Rule("c.md", {"team": "hr"}))
    readings = [reading(uri, LONG) for uri in "abc"]
    found = judged(screen(ledger, rules=rules), *readings)
    assert found["b"].document is not None
    assert found["b"].document.groups == ("board",)
    assert found["c"].document is not None, "who asks for the team is to find it"
