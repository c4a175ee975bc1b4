"""A folder of hostile files is indexed: none breaks anything, and every good one is found."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from indexer.folders import as_text
from indexer.ledger import Ledger
from indexer.report import Report
from rag.workspace import Workspace
from tests.support import docs, hostile
from tests.support.hostile import Case


@dataclass
class Indexed:
    cases: list[Case]
    saem: Workspace
    folder: Path
    report: Report

    def __post_init__(self) -> None:
        self.said = {error.path: error.why for error in self.report.failed}
        self.left = {skipped.path: skipped.why for skipped in self.report.skipped}
        self.dropped = {dropped.path: dropped.why for dropped in self.report.dropped}
        collection = self.saem.collection()
        self.read = {d.path for d in collection.documents()}
        ledger = Ledger(collection.path)
        self.noted = {entry.path for entry in ledger.entries()}
        ledger.close()

    def of(self, *fates: str) -> list[Case]:
        return [case for case in self.cases if case.fate in fates]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    top = tmp_path_factory.mktemp("hostile")
    folder = top / "docs"
    cases = hostile.write(folder)
    saem = Workspace(docs.settings(top / "home", encoder="none"))
    stop = threading.Event()
    meddler = threading.Thread(target=meddle, args=(folder / "special", stop))
    meddler.start()
    try:
        report = saem.sync([folder], processes=2)
    finally:
        stop.set()
        meddler.join()
    yield Indexed(cases, saem, folder, report)
    saem.close()


def meddle(folder: Path, stop: threading.Event) -> None:
    """Change files while they are read."""
    n = 0
    while not stop.wait(0.001):
        n += 1
        (folder / "changing.md").write_text("tea\n" * (n % 2000))
        with (folder / "growing.txt").open("a") as file:
            file.write("tea\n" if n % 100 else "\n")
        os.utime(folder / "changing.md", (n, n))


def test_there_are_hundreds_of_them(indexed: Indexed) -> None:
    assert len(indexed.of("bad", "any", "skipped")) >= 300
    assert len(indexed.of("good")) >= 50


def test_good_ones_are_found(indexed: Indexed) -> None:
    searcher = indexed.saem.searcher()
    lost = {}
    for case in indexed.of("good"):
        found = {hit.chunk.path for hit in searcher.search(case.word, mode="bm25").hits}
        path = as_text(case.name)
        if found != {path}:
            lost[path] = found, indexed.said.get(path), indexed.dropped.get(path)
    assert lost == {}


def test_bad_ones_are_told_with_their_reason(indexed: Indexed) -> None:
    silent = {
        case.name: indexed.said.get(case.name)
        for case in indexed.of("bad")
        if not re.search(case.why, indexed.said.get(case.name, "nothing was said"))
    }
    assert silent == {}


def test_what_is_no_file_is_left_alone(indexed: Indexed) -> None:
    names = {case.name: case.why for case in indexed.of("skipped")}
    told = {name: indexed.left.get(name, "") for name in names}
    assert {name: why for name, why in told.items() if not re.match(names[name], why)} == {}
    assert not indexed.read & names.keys()
    assert not indexed.said.keys() & names.keys()


def test_each_is_accounted_for(indexed: Indexed) -> None:
    told = indexed.read | indexed.noted | indexed.left.keys()
    assert {as_text(case.name) for case in indexed.cases} - told == set()


def test_no_reader_fails_crashes_or_takes_too_long(indexed: Indexed) -> None:
    broke = re.compile(r"made the reader|took longer|needed more")
    expected = {case.name for case in indexed.of("bad")}
    assert {
        path: why for path, why in indexed.said.items() if broke.match(why) and path not in expected
    } == {}


def test_nothing_from_outside_is_in_it(indexed: Indexed) -> None:
    assert indexed.saem.searcher().search(hostile.SECRET, mode="bm25").hits == ()


def test_again_and_nothing_is_read_but_what_changed(indexed: Indexed) -> None:
    changing = {"special/changing.md", "special/growing.txt"}
    again = indexed.saem.sync([indexed.folder])
    assert {error.path for error in again.failed} <= changing
    assert again.before >= len(indexed.said) - len(changing)
    assert again.added + again.changed + again.removed <= len(changing)
    (indexed.folder / "bombs" / "laughs.xml").write_text("<tea>No bomb, but zztamed tea.</tea>")
    third = indexed.saem.sync([indexed.folder])
    assert (third.added, third.before) == (1, again.before - 1)
    found = indexed.saem.searcher().search("zztamed", mode="bm25").hits
    assert [hit.chunk.path for hit in found] == ["bombs/laughs.xml"]
