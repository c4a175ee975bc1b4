from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chunk import chunk
from indexer.readers import read
from indexer.split import sentences
from indexer.tokens import estimate_tokens
from rag.types import Block, Chunk, Document, digest


def markdown(text: str) -> Document:
    return read(text.encode(), uri="file:///a.md", path="a.md").document


def plain(text: str) -> Document:
    return Document("file:///a.txt", "a.txt", "a", text)


def texts(document: Document, tokens: int) -> list[str]:
    return [c.text for c in chunk(document, tokens)]


def squeezed(text: str) -> str:
    return "".join(text.split())


def check(document: Document, tokens: int) -> list[Chunk]:
    """The promises that hold for every document."""
    chunks = chunk(document, tokens)
    for position, c in enumerate(chunks):
        assert c.position == position
        assert document.text[c.start : c.end] == c.text
        assert c.text.strip()
        assert estimate_tokens(c.text) <= tokens * 3 // 2
        assert (c.document, c.version, c.path) == (document.id, document.version, document.path)
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    assert squeezed("".join(c.text for c in chunks)) == squeezed(document.text)
    return chunks


LINES = st.sampled_from(
    [
        "# Title",
        "## Install { #install }",
        "### Deep",
        "",
        "",
        "Some words of a sentence. More!",
        "한국어 문장이다. 그렇지요.그리고 또 있다.",
        "* item one",
        "1. first",
        "    indented",
        "```",
        "| a | b |",
        "|---|---|",
        "| cell | 셀 |",
        "> quoted",
        "/// tip",
        "///",
        "In this case:",
        "<div>",
        "</div>",
        "---",
        "x" * 90,
        "가" * 50,
        "[ref]: http://x",
        "a\u3000b",
        "= . = !!!!",
    ]
)


class TestPromises:
    @given(st.lists(LINES, max_size=40), st.integers(1, 60))
    @settings(max_examples=150, deadline=None)
    def test_markdown(self, lines: list[str], tokens: int) -> None:
        text = "words first\n\n" + "\n".join(lines)
        check(markdown(text), tokens)

    @given(st.text(max_size=400), st.integers(1, 40))
    @settings(max_examples=150, deadline=None)
    def test_any_text_without_blocks(self, text: str, tokens: int) -> None:
        check(plain(text), tokens)

    @given(st.lists(LINES, max_size=30), st.sampled_from(["a.rst", "a.txt", "a.html"]))
    @settings(max_examples=150, deadline=None)
    def test_other_formats(self, lines: list[str], path: str) -> None:
        text = "words first\n\n" + "\n".join(lines)
        check(read(text.encode(), uri="u", path=path).document, 20)

    def test_blank_document_has_no_chunks(self) -> None:
        assert chunk(plain(" \n\t\n")) == []

    def test_size_below_one_is_refused(self) -> None:
        with pytest.raises(ValueError, match="tokens must be 1 or more, not 0"):
            chunk(plain("a"), 0)

    def test_identity_is_deterministic(self) -> None:
        document = plain("One.\n\nTwo.")
        first, again = chunk(document, 2), chunk(document, 2)
        assert first == again
        assert first[1].id == digest(document.id, "1", "Two.")


class TestSentences:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("One here. Two there! Three? Four", ["One here.", "Two there!", "Three?", "Four"]),
            ("서울은 수도다. 크지요. 정말?", ["서울은 수도다.", "크지요.", "정말?"]),
            ("그는 갔다.그녀도 갔어요.끝", ["그는 갔다.", "그녀도 갔어요.", "끝"]),
            ("東京です。大きい。", ["東京です。", "大きい。"]),
            ('He said "Stop." Then left.', ['He said "Stop."', "Then left."]),
            ("Use a server, e.g. Nginx or i.e. that.", ["Use a server, e.g. Nginx or i.e. that."]),
            ("Pi is 3.14 here. Next", ["Pi is 3.14 here.", "Next"]),
            ("Since v0.1. It works with v0.1.2 too.", ["Since v0.1. It works with v0.1.2 too."]),
            ("2024. 1. 5. 시작했다. 끝났다.", ["2024. 1. 5. 시작했다.", "끝났다."]),
            ("Dr. Kim and J. Lee met. They spoke.", ["Dr. Kim and J. Lee met.", "They spoke."]),
            ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ],
    )
    def test_by_value(self, text: str, expected: list[str]) -> None:
        assert [text[a:b] for a, b in sentences(text)] == expected

    def test_long_paragraph_is_cut_between_sentences(self) -> None:
        text = "대한민국의 수도는 서울이다. 인구는 약 천만 명이다. 한강이 도시를 지난다."
        assert texts(plain(text), 12) == [
            "대한민국의 수도는 서울이다.",
            "인구는 약 천만 명이다.",
            "한강이 도시를 지난다.",
        ]
        english = "The first one is here. The second one follows. The third one ends."
        assert texts(plain(english), 7) == [
            "The first one is here.",
            "The second one follows.",
            "The third one ends.",
        ]


class TestStructure:
    def test_heading_path_and_text(self) -> None:
        body = "word " * 30
        document = markdown(f"# Guide\n\n{body}\n\n## Install\n\n{body}\n\n### Linux\n\n{body}")
        assert [(c.heading, c.text.split("\n")[0]) for c in chunk(document, 40)] == [
            (("Guide",), "# Guide"),
            (("Guide", "Install"), "## Install"),
            (("Guide", "Install", "Linux"), "### Linux"),
        ]

    def test_heading_goes_with_what_follows(self) -> None:
        body = "word " * 28
        document = markdown(f"{body}\n\n## Empty\n\n## Next\n\n{body}\n\n{body}")
        assert [c.text.split("\n")[0].strip() for c in chunk(document, 30)] == [
            body.strip(),
            "## Empty",
            body.strip(),
        ]
        assert chunk(document, 30)[1].heading == ("Next",)

    def test_small_siblings_are_joined_under_their_common_path(self) -> None:
        document = markdown("# API\n\n" + "".join(f"## f{i}\n\nDoes {i}.\n\n" for i in range(3)))
        chunks = chunk(document, 100)
        assert [(c.heading, c.text) for c in chunks] == [(("API",), document.text.strip())]

    def test_a_higher_section_is_not_joined_to_a_deeper_one(self) -> None:
        document = markdown("### Deep\n\nSmall.\n\n# High\n\nSmall too.")
        assert texts(document, 100) == ["### Deep\n\nSmall.", "# High\n\nSmall too."]

    def test_an_introduction_goes_with_its_code(self) -> None:
        body = "word " * 20
        document = markdown(f"{body}\n\nRun this:\n\n```\nrun it now\n```\n\n{body}")
        assert texts(document, 25) == [
            body.strip(),
            "Run this:\n\n```\nrun it now\n```",
            body.strip(),
        ]

    def test_an_admonition_is_not_torn_at_its_marks(self) -> None:
        body = ("word " * 20).strip()
        document = markdown(f"{body}\n\n/// tip\n\n{body}\n\n///\n\n{body}")
        assert texts(document, 24) == [
            body,
            f"/// tip\n\n{body}\n\n///",
            body,
        ]

    def test_code_is_cut_only_where_too_long_and_then_by_lines(self) -> None:
        code = "".join(f"    value_{i:02} = {i:02}\n" for i in range(12))
        fence = f"```\n{code}```"
        assert texts(markdown(f"{'word ' * 20}\n\n{fence}"), 80) == [("word " * 20).strip(), fence]
        parts = texts(markdown(fence), 20)
        assert len(parts) > 1
        assert "\n".join(parts) == fence

    def test_table_is_cut_by_rows(self) -> None:
        rows = [f"| row {i} | value {i} |" for i in range(10)]
        table = "\n".join(["| a | b |", "|---|---|", *rows])
        parts = texts(markdown(table), 25)
        assert len(parts) > 2
        assert "\n".join(parts) == table

    def test_long_words_are_cut_by_characters(self) -> None:
        assert texts(plain("a" * 30), 2) == ["a" * 12, "a" * 12, "a" * 6]
        assert texts(plain("가 나 다 라 마"), 2) == ["가 나", "다 라", "마"]

    def test_text_that_no_block_covers_is_left_out(self) -> None:
        document = Document("u", "p", "t", "a: b\n\nText.", (Block("paragraph", 6, 11),))
        assert texts(document, 10) == ["Text."]


class TestScale:
    """What takes quadratic time does not come to an end here."""

    @pytest.mark.parametrize("unit", ["lorem ipsum ", "x", "문장이다. "])
    def test_a_very_long_line(self, unit: str) -> None:
        text = unit * (5_000_000 // len(unit))
        chunks = chunk(plain(text))
        assert squeezed("".join(c.text for c in chunks)) == squeezed(text)

    def test_very_many_headings(self) -> None:
        blocks, parts, start = [], [], 0
        for i in range(100_000):
            parts.append(f"# {i}\n")
            blocks.append(Block("heading", start, start + len(parts[-1]) - 1, 1, str(i)))
            start += len(parts[-1])
        chunks = check(Document("u", "p", "t", "".join(parts), tuple(blocks)), 300)
        assert chunks[0].text.startswith("# 0\n# 1\n")
        assert chunks[-1].text.endswith("# 99999")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("Hello, world", 3), ("서울이다", 3), ("1234567", 3), ("internationalization", 4)],
)
def test_estimate_by_value(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens
