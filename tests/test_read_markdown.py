"""Markdown's front matter, tables and size, and MDX; the rest is in test_readers.py."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reading import headers, read_file, shown

MDX = """---
title: Tea
---
import Tabs from '@theme/Tabs';
import {A,
  B} from "x";

export const price = 3;

# Hello <Badge color={{a: 1}}>new</Badge>

<Tabs>
<TabItem value="py" on={() => { go({a}) }}>

Inner *text* with `<Code>` and <https://example.org>.

```jsx
import x from 'y'
<Foo/>
```

</TabItem>
</Tabs>

{/* a comment
 here */}

export your list to PDF, a < b and b > c.
"""


class TestFrontMatter:
    def test_yaml(self) -> None:
        text = (
            "---\ntitle: 'A: b'\nversion: 1.10\ndate: 2024-01-02\ndraft: no\ntags:\n- 차\n- tea\n"
            "empty:\nnested:\n  a: 1\nlong: >\n  two\n  lines\n---\nText.\n"
        )
        found = read_file(text, "a.md")
        assert found.document.title == "A: b"
        assert found.document.metadata == {
            "version": "1.10", "date": "2024-01-02", "draft": "no", "tags": "차, tea",
            "long": "two lines", "format": "markdown",
        }  # fmt: skip
        assert shown(found) == [("paragraph", "Text.")]
        assert found.document.text == text

    def test_toml(self) -> None:
        text = (
            '+++\ntitle = "T"\nversion = 1.10\ndate = 2024-01-02\ntags = ["a", "b"]\n'
            "[x]\ny=1\n+++\nText."
        )
        found = read_file(text, "a.md")
        assert (found.document.title, shown(found)) == ("T", [("paragraph", "Text.")])
        assert found.document.metadata == {
            "version": "1.10", "date": "2024-01-02", "tags": "a, b", "format": "markdown",
        }  # fmt: skip

    @given(st.dictionaries(st.text("abc", min_size=1), st.text("가 :#'\"-", min_size=1)))
    def test_as_a_library_writes_it(self, values: dict[str, str]) -> None:
        said = {"zz": "end"} | values
        text = f"---\n{yaml.safe_dump(said, allow_unicode=True, width=10**6)}---\n\nText."
        found = read_file(text, "a.md")
        expected = {key: " ".join(value.split()) for key, value in said.items() if value.strip()}
        assert found.document.metadata == expected | {"format": "markdown"}

    @pytest.mark.parametrize("matter", ["a: b: c", "a: " + "[" * 5000, "a: *b"])
    def test_broken_is_told_and_left_out(self, matter: str) -> None:
        found = read_file(f"---\n{matter}\n---\n# T\n", "a.md")
        assert shown(found) == [("heading", "# T")]
        assert found.notes[0].startswith("its front matter cannot be read: ")

    def test_odd_characters_are_cleaned(self) -> None:
        found = read_file('---\ntitle: "a\\ud800b"\nby: "e\\u0301\\0"\n---\nText.', "a.md")
        assert (found.document.title, found.document.metadata["by"]) == ("ab", "é")

    def test_aliases_do_not_expand(self) -> None:
        lines = [f"b{i}: &b{i} [*b{i - 1}, *b{i - 1}]" for i in range(1, 40)]
        text = "\n".join(["---", "b0: &b0 [x, y]", *lines, "---", "Text."])
        assert read_file(text, "a.md").document.metadata == {"b0": "x, y", "format": "markdown"}


class TestTables:
    def test_header(self) -> None:
        found = read_file("| a | b |\n|---|---|\n| 1 | 2 |\n\n| a |\n|---|\n", "a.md")
        assert headers(found) == ["| a | b |\n|---|---|", ""]


class TestSize:
    def test_pieces_give_what_the_whole_gives(self) -> None:
        part = (
            "# 제목 {i}\n\n- a\n- b\n\n  c\n\n```\n\n# no\n\n```\n\n"
            "| a |\n|---|\n| {i} |\n\nText {i}.\n\n"
        )
        text = "".join(part.format(i=i) for i in range(1000))
        found = read_file(text, "a.md")
        kinds = [kind for kind, _ in shown(found)]
        assert kinds == ["heading", "list", "code", "table", "paragraph"] * 1000
        assert [b.title for b in found.document.blocks if b.level] == [
            f"제목 {i}" for i in range(1000)
        ]

    def test_a_list_and_a_fence_without_end(self) -> None:
        found = read_file("- a\n" * 45_000, "a.md")
        assert {kind for kind, _ in shown(found)} == {"list"}
        assert "".join(text for _, text in shown(found)).count("a") == 45_000
        found = read_file("```\n" + "x\n" * 45_000, "a.md")
        assert {kind for kind, _ in shown(found)} == {"code"}

    def test_more_lines_than_can_be_parsed(self) -> None:
        found = read_file("# T\n\n" + "- a\n" * 100_000, "a.md")
        assert found.notes == ("has 100002 lines: only its paragraphs were told apart",)
        assert shown(found)[0] == ("paragraph", "# T")

    def test_long_lines_and_deep_nests(self) -> None:
        line = "word " * 1_000_000
        assert shown(read_file(f"# T\n\n{line}\n\nend", "a.md")) == [
            ("heading", "# T"), ("paragraph", line.rstrip()), ("paragraph", "end"),
        ]  # fmt: skip
        assert shown(read_file(">" * 100_000 + " a", "a.md"))[0][1].endswith("a")
        wide = "|a" * 200_000 + "\n" + "|-" * 200_000
        assert shown(read_file(wide, "a.md")) == [("paragraph", wide)]


class TestMdx:
    def test_prose_stays(self) -> None:
        found = read_file(MDX, "a.mdx")
        assert shown(found) == [
            ("heading", "# Hello <Badge color={{a: 1}}>new"),
            ("paragraph", "Inner *text* with `<Code>` and <https://example.org>."),
            ("code", "```jsx\nimport x from 'y'\n<Foo/>\n```"),
            ("paragraph", "export your list to PDF, a < b and b > c."),
        ]
        assert found.document.text == MDX
        assert [b.title for b in found.document.blocks if b.level] == ["Hello new"]
        assert found.document.metadata["format"] == "mdx"

    @pytest.mark.parametrize(
        "part", ["<", "{/*", "<A b={", "`", "` ", "import {", "{", "```\n~~~\n"]
    )
    def test_openings_without_end(self, part: str) -> None:
        text = f"words\n{part * 50_000}"
        assert shown(read_file(text, "a.mdx"))[0][1].startswith("words")
