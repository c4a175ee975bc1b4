from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers import FORMATS, SUFFIXES, Empty, Read, Unknown, read
from rag.errors import SourceError
from rag.types import Document


def document(text: str, path: str = "guide/a_page.md") -> Document:
    return read(text.encode(), uri=f"file:///{path}", path=path).document


def blocks(d: Document) -> list[tuple[str, str]]:
    return [(b.kind, d.text[b.start : b.end]) for b in d.blocks]


def headings(d: Document) -> list[tuple[int, str]]:
    return [(b.level, b.title) for b in d.blocks if b.kind == "heading"]


class TestRead:
    def test_document(self) -> None:
        d = document("Words.", "guide/getting_started-now.txt")
        assert d == Document(
            "file:///guide/getting_started-now.txt", "guide/getting_started-now.txt",
            "getting started now", "Words.", d.blocks, {"format": "text"},
        )  # fmt: skip
        assert blocks(d) == [("paragraph", "Words.")]

    def test_what_is_said_of_it(self) -> None:
        found = read("차를 우립니다.".encode("cp949"), uri="u", path="a.txt")
        assert found == Read(found.document, ("is in cp949 (confidence 0.75)",), verbatim=True)
        assert found.document.metadata == {"format": "text", "encoding": "cp949"}
        assert not read(b"<html><p>a", uri="u", path="a.html").verbatim

    def test_every_format_has_a_reader_and_suffixes_of_its_own(self) -> None:
        for form in FORMATS:
            assert callable(form.reader), form.name
        suffixes = [suffix for form in FORMATS for suffix in form.suffixes]
        assert len(suffixes) == len(set(suffixes))
        assert frozenset(suffixes) == SUFFIXES
        assert {".md", ".pdf", ".hwp", ".csv", ".eml", ".py"} <= SUFFIXES

    @pytest.mark.parametrize(
        ("data", "kind", "why"),
        [
            (b"", Empty, "is empty"),
            (b" \n\t\n", Empty, "has no text"),
            (b"\xef\xbb\xbf \r\n", Empty, "has no text"),
            (b"\0\1\2\3" * 9, Unknown, "looks like a binary file"),
            (b"\x89PNG\r\n\x1a\n\0\0", Unknown, "is a PNG image"),
        ],
    )
    def test_nothing_to_read(self, data: bytes, kind: type[SourceError], why: str) -> None:
        with pytest.raises(kind) as caught:
            read(data, uri="u", path="x.txt")
        assert caught.value.why.startswith(why)
        assert (caught.value.path, bool(caught.value.remedy)) == ("x.txt", True)

    def test_suffix_case_and_none(self) -> None:
        assert headings(document("# A", "A.MD")) == [(1, "A")]
        assert blocks(document("# A", "README")) == [("paragraph", "# A")]

    def test_unknown_suffix(self) -> None:
        with pytest.raises(Unknown, match=r"a\.qqq: has a suffix that no reader takes \(\.qqq\)"):
            document("x", "a.qqq")

    def test_html_under_another_suffix(self) -> None:
        assert document("<!DOCTYPE html><p>a &lt; b", "a.txt").text == "a < b"

    @given(st.text(min_size=1, max_size=300), st.sampled_from(["a.md", "a.rst", "a.txt", "a.html"]))
    @settings(max_examples=200, deadline=None)
    def test_any_text_gives_blocks_in_order_or_a_source_error(self, text: str, path: str) -> None:
        try:
            d = read(text.encode("utf-8", "surrogatepass"), uri="u", path=path).document
        except SourceError:
            return
        end = 0
        for b in d.blocks:
            assert end <= b.start < b.end <= len(d.text)
            assert d.text[b.start : b.end].strip()
            end = b.end


FASTAPI = """---
title: "Query Parameters"
hide:
  - navigation
tags: [a, b]
author: Kim # the author
---

# Query `q` Parameters { #query-parameters }

Declare **other** parameters:

{* ../../docs_src/tutorial001.py hl[9] *}

/// tip | 팁

They are optional.

///

## What is <abbr title="x">API</abbr> & [more](http://x) { #api }

* `skip`: one
* `limit`: two

    ```python
    # not a heading
    ```

* last

| a | b |
|---|---|
| 1 | 2 |

> quoted
> text

Setext
------

    indented

[ref]: http://example.com
"""


class TestMarkdown:
    def test_blocks(self) -> None:
        d = document(FASTAPI)
        assert blocks(d) == [
            ("heading", "# Query `q` Parameters { #query-parameters }"),
            ("paragraph", "Declare **other** parameters:"),
            ("paragraph", "{* ../../docs_src/tutorial001.py hl[9] *}"),
            ("paragraph", "/// tip | 팁"),
            ("paragraph", "They are optional."),
            ("paragraph", "///"),
            ("heading", '## What is <abbr title="x">API</abbr> & [more](http://x) { #api }'),
            ("list", "* `skip`: one\n* `limit`: two"),
            ("code", "    ```python\n    # not a heading\n    ```"),
            ("list", "* last"),
            ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
            ("quote", "> quoted\n> text"),
            ("heading", "Setext\n------"),
            ("code", "    indented"),
            ("paragraph", "[ref]: http://example.com"),
        ]
        assert headings(d) == [(1, "Query q Parameters"), (2, "What is API & more"), (2, "Setext")]

    def test_text_is_the_source(self) -> None:
        assert document(FASTAPI).text == FASTAPI

    def test_front_matter(self) -> None:
        d = document(FASTAPI)
        assert d.title == "Query Parameters"
        assert d.metadata == {
            "author": "Kim", "hide": "navigation", "tags": "a, b", "format": "markdown",
        }  # fmt: skip

    def test_rules_are_no_front_matter(self) -> None:
        d = document("---\n\nText.\n\n---\n\nMore.")
        assert blocks(d)[1] == ("paragraph", "Text.")
        assert d.metadata == {"format": "markdown"}

    @pytest.mark.parametrize(
        ("text", "title"),
        [("## b\n\n# a", "a"), ("## b\n\n### c", "b"), ("text", "a page"), ("#\n\ntext", "a page")],
    )
    def test_title(self, text: str, title: str) -> None:
        assert document(text).title == title


PAGE = """<!DOCTYPE html><html><head><title>The &amp; page</title>
<meta name="Author" content="Kim"><style>p {}</style></head><body>
<nav>Menu</nav><header><h1>Site</h1></header>
<main><article><header><h1>A  <b>bold</b>
 head</h1></header>
<p>One
 two&nbsp;three<p>Four<br>five<ul><li>a<li>b<p>more</li></ul>
<pre>x
   y &lt; z
</pre><table><tr><th>h</th><th>i</th></tr><tr><td>1<td><p>2</table>
<blockquote><p>said</p></blockquote><aside>ad</aside>tail<script>1</script>
<form>f</form><template>t</template><noscript>n</noscript><p hidden>h</p></article></main>
<footer>foot</footer></body></html>"""


class TestHtml:
    def test_blocks(self) -> None:
        d = document(PAGE, "a.html")
        assert blocks(d) == [
            ("heading", "A bold head"),
            ("paragraph", "One two three"),
            ("paragraph", "Four five"),
            ("list", "- a\n- b\n  more"),
            ("code", "x\n   y < z"),
            ("table", "h | i\n1 | 2"),
            ("quote", "said"),
            ("paragraph", "tail"),
        ]
        assert d.text == "\n\n".join(text for _, text in blocks(d))
        assert (d.title, d.metadata) == (
            "The & page", {"author": "Kim", "format": "html"},
        )  # fmt: skip
        assert headings(d) == [(1, "A bold head")]

    def test_title_from_heading(self) -> None:
        assert document("<h2>b</h2><h1>a</h1>", "x.htm").title == "a"

    def test_xhtml_empty_elements(self) -> None:
        page = (
            '<?xml version="1.0"?><html><head><title/><script src="x"/></head><body>a</body></html>'
        )
        assert blocks(document(page, "a.xhtml")) == [("paragraph", "a")]

    def test_layout_table_is_read_as_text(self) -> None:
        page = "<table><tr><td><h2>Head</h2><p>text</td><td>side</td></tr></table>"
        assert blocks(document(page, "a.html")) == [
            ("heading", "Head"),
            ("paragraph", "text"),
            ("paragraph", "side"),
        ]

    def test_highlighted_code_lines(self) -> None:
        page = "<pre><div>a = <b>1</b></div><div>  b</div></pre>"
        assert blocks(document(page, "a.html")) == [("code", "a = 1\n  b")]

    def test_deep_nesting(self) -> None:
        assert document("<div>" * 5000 + "deep", "a.html").text == "deep"

    def test_only_scripts(self) -> None:
        with pytest.raises(SourceError, match="has no text"):
            document("<body><script>x</script></body>", "a.html")
