"""The values that flow: identities, offsets, what an index sees of a passage."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.types import Chunk, Document, Filter, digest
from tests.support.corpus import chunks, document

CHUNK = Chunk("d", "v", 0, 0, 4, "text", "a.md", "Guide", ("Guide", "Setup"))


class TestDigest:
    def test_is_128_bits_of_hexadecimal_and_stable(self) -> None:
        # blake2b-128 over each part's length (8 bytes, little endian) and UTF-8.
        assert digest("a", "b") == "6a93c5780b9861cdd8d2761a748d9591"
        assert digest("a", "b") == digest("a", "b")

    @given(st.lists(st.text()), st.lists(st.text()))
    def test_differs_for_different_parts(self, a: list[str], b: list[str]) -> None:
        assert (digest(*a) == digest(*b)) == (a == b)

    def test_parts_do_not_run_together(self) -> None:
        assert digest("ab", "c") != digest("a", "bc")
        assert digest("ab") != digest("ab", "")

    def test_lone_surrogates_have_a_digest(self) -> None:
        assert digest("\ud800") != digest("\ud801")


class TestDocument:
    def test_id_depends_on_the_uri_alone(self) -> None:
        a = Document("file:///a", "a", "A", "one")
        assert a.id == Document("file:///a", "b", "B", "two", groups=("x",)).id
        assert a.id != Document("file:///b", "a", "A", "one").id

    def test_version_depends_on_the_text_alone(self) -> None:
        a = Document("file:///a", "a", "A", "one")
        assert a.version == Document("file:///b", "b", "B", "one").version
        assert a.version != Document("file:///a", "a", "A", "two").version

    def test_is_frozen(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            document("a", "b").text = "c"  # type: ignore[misc]


class TestChunk:
    @given(st.text(alphabet="ab 한\n\U0001f600"))
    def test_offsets_are_characters_of_the_document(self, text: str) -> None:
        d = document("a", text)
        for chunk in chunks(d):
            assert d.text[chunk.start : chunk.end] == chunk.text

    @pytest.mark.parametrize(
        ("change", "same"),
        [
            ({"document": "e"}, False),
            ({"position": 1}, False),
            ({"text": "Text"}, False),
            ({"version": "w"}, True),
            ({"start": 5, "end": 9}, True),
            ({"path": "b.md", "title": "Other", "heading": ()}, True),
        ],
    )
    def test_id_is_document_position_and_content(
        self, change: dict[str, object], same: bool
    ) -> None:
        assert (dataclasses.replace(CHUNK, **change).id == CHUNK.id) is same  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("title", "heading", "context"),
        [
            ("", (), "text"),
            ("Guide", (), "Guide\ntext"),
            ("Guide", ("Guide", "Setup"), "Guide > Setup\ntext"),
            ("Guide", ("Setup", "Guide", "Setup"), "Guide > Setup\ntext"),
            ("", ("", "Setup"), "Setup\ntext"),
            ("설치", ("준비", ""), "설치 > 준비\ntext"),
        ],
    )
    def test_context_names_what_stands_above_once(
        self, title: str, heading: tuple[str, ...], context: str
    ) -> None:
        assert dataclasses.replace(CHUNK, title=title, heading=heading).context == context


class TestFilter:
    def test_is_false_only_when_it_restricts_nothing(self) -> None:
        assert not Filter()
        assert Filter(fields={"a": ("b",)})
        assert Filter(path="*")
        assert Filter(path="")
        assert Filter(groups=()), "a caller without groups is restricted to public documents"
