"""Counts by a tokenizer of a few pieces, against the library's own."""

from __future__ import annotations

from functools import partial
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library
from tokenizers import models, pre_tokenizers

from indexer.chunk import Chunker, load_chunker
from indexer.tokens import ESTIMATE
from rag.encode.tokenizer import Tokenizer, find_tokenizer
from rag.errors import SourceError
from rag.settings import Settings
from rag.types import Document

PIECES = ["<unk>", "▁", "a", "b", "ab", "▁ab", "가", "▁가", "나다", ".", "▁b."]
ALPHABET = st.text(st.sampled_from("ab가나다. \n\t\u3000x\ud800"), max_size=80)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = Library(models.Unigram([(p, -1.0 - i / 10) for i, p in enumerate(PIECES)], 0, False))
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    library.enable_truncation(4)  # as encoders' files may have it
    path = tmp_path_factory.mktemp("model") / "tokenizer.json"
    library.save(str(path))
    return path


def library(file: Path) -> Library:
    found = Library.from_file(str(file))
    found.no_truncation()
    return found


def tokenizer(file: Path, *, words: bool) -> Tokenizer:
    return Tokenizer("test", partial(Path, file), words=words)


@settings(max_examples=150, deadline=None)
@given(st.lists(ALPHABET, max_size=5))
@example(["", "ab ab", "ab"])
def test_counts_are_the_librarys(file: Path, texts: list[str]) -> None:
    clean = [" ".join(text.replace("\ud800", "?").split()) for text in texts]
    real = [max(len(library(file).encode(text).ids), 1) for text in clean]
    by_words = tokenizer(file, words=True)
    assert by_words.count(texts) == by_words.count(texts) == real
    assert tokenizer(file, words=False).count(clean) == real


def test_by_value(file: Path) -> None:
    assert tokenizer(file, words=True).count(["", "ab", "ab b. 가나다", "가 가 가"]) == [1, 1, 4, 3]


def test_words_that_are_too_many_are_forgotten(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.encode.tokenizer._MOST_WORDS", 2)
    counter = tokenizer(file, words=True)
    assert [counter.count([text]) for text in ("ab b.", "가 나다", "ab 가나다 b.")] == [
        [2],
        [3],
        [4],
    ]


@settings(max_examples=150, deadline=None)
@given(ALPHABET, st.integers(0, 10))
def test_spans_are_in_order_and_have_every_sign(file: Path, text: str, start: int) -> None:
    start = min(start, len(text))
    found = [*tokenizer(file, words=True).spans(text, start, len(text))]
    at, said = start, ""
    for begin, end, size in found:
        assert at <= begin < end <= len(text)
        assert size >= 1
        assert not text[at:begin].strip()
        assert not text[begin].isspace()
        at, said = end, said + text[begin:end]
    assert "".join(said.split()) == "".join(text[start:].split())


def test_spans_of_a_long_text_come_in_portions(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.encode.tokenizer._PORTION", 7)
    text = "ab ab 가나다 b. " * 5
    spans = [*tokenizer(file, words=True).spans(text, 0, len(text))]
    assert [text[a:b] for a, b, _ in spans] == ["ab", "ab", "가", "나다", "b."] * 5


def test_passages_are_cut_by_these_counts(file: Path) -> None:
    text = "ab ab ab. " * 30
    chunks = Chunker("structural", 12, tokenizer(file, words=True))(Document("u", "p", "t", text))
    assert {c.text for c in chunks} == {"ab ab ab. ab ab ab. ab ab ab."}
    estimated = Chunker("structural", 12)(Document("u", "p", "t", text))
    assert estimated[0].text == chunks[0].text
    windows = Chunker("tokens", 5, tokenizer(file, words=True))(Document("u", "p", "t", text))
    assert windows[0].text == "ab ab ab. ab"


def test_it_can_be_sent_to_other_processes(file: Path) -> None:
    again = ForkingPickler.loads(ForkingPickler.dumps(tokenizer(file, words=True)))
    assert again.count(["ab b. x"]) == tokenizer(file, words=True).count(["ab b. x"])
    assert again.fingerprint == "test"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "tokenizer.json"
    bad.write_text("{", "utf-8")
    with pytest.raises(SourceError, match="is no tokenizer") as error:
        tokenizer(bad, words=True).count(["a"])
    assert error.value.path == str(bad)


class TestFinding:
    def test_that_of_a_folder(self, file: Path) -> None:
        found = find_tokenizer(Settings(encoder=str(file.parent)))
        assert found is not None
        assert found.fingerprint.startswith("file:")
        assert found.count(["ab", "b. 가나다"]) == [1, 3]
        assert load_chunker(Settings(encoder=str(file.parent))).fingerprint.endswith(
            found.fingerprint
        )

    @pytest.mark.parametrize(
        "encoder",
        ["none", "hashing", "http://localhost:1/v1", "some/model", "multilingual-e5-small"],
    )
    def test_none_is_at_hand(self, encoder: str, tmp_path: Path) -> None:
        settings = Settings(encoder=encoder, cache=tmp_path)
        assert find_tokenizer(settings) is None
        assert load_chunker(settings).counter is ESTIMATE
