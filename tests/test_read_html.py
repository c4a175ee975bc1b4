"""HTML: main content by value, boilerplate dropped, tables, and bounds on hostile pages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.html import read_html
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

ARTICLE = """
<h1>봄의 일정<a class="headerlink" href="#x">¶</a></h1>
<p>행사는 <b>3월 5일</b>에 시작한다.</p>
<h2>Registration</h2>
<p>Write to the office; <a href="#">the form</a> is short.</p>
<ul><li>이름</li><li>소속</li></ul>
<pre>pip install x
  -U</pre>
<table><tr><th>Day</th><th>방</th></tr><tr><td>1</td><td>가</td></tr></table>
"""
WRITTEN = [
    ("heading", "봄의 일정"),
    ("paragraph", "행사는 3월 5일에 시작한다."),
    ("heading", "Registration"),
    ("paragraph", "Write to the office; the form is short."),
    ("list", "- 이름\n- 소속"),
    ("code", "pip install x\n  -U"),
    ("table", "Day | 방\n1 | 가"),
]
LINKS = "".join(f'<li><a href="/{i}">Other page {i}</a></li>' for i in range(60))
PAGES = {
    "plain": "%s",
    "documentation": f"<header><nav>Logo</nav></header><main><div class='sidebar'><ul>{LINKS}</ul>"
    "</div><article>%s<form><label>Was this helpful?</label></form></article></main>"
    "<footer>Copyright</footer>",
    "roles": f"<div role='navigation'><ul>{LINKS}</ul></div><div role='main'>%s</div>"
    f"<div class='sphinxsidebar'><ul>{LINKS}</ul></div><div role='contentinfo'>Copyright</div>",
    "blog": "<div id='cookie-consent'><p>We value your privacy.</p></div><div class='post'>%s"
    "<div class='share-buttons'><a>Share it</a></div></div><div id='comments'><p>Great post!</p>"
    "</div><p aria-hidden='true'>x</p><p style='display:none'>x</p><div id='footer'>Imprint</div>",
    "unnamed": f"<div class='x1'><ul>{LINKS}</ul></div><div class='x2'>%s</div>",
    "one form": "<form><table role='presentation'><tr><td>%s</td></tr></table></form>",
    "hint on everything": f"<div class='page with-sidebar'><ul class='nav'>{LINKS}</ul>"
    "<div>%s</div></div>",
}


def read(page: str) -> Parsed:
    return read_html(Raw(page.encode(), "a.html"))


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.kind, parsed.text[b.start : b.end]) for b in parsed.blocks]


class TestMainContent:
    @pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
    def test_what_was_written_and_nothing_else(self, page: str) -> None:
        assert blocks(read(f"<!DOCTYPE html><body>{page % (ARTICLE + PROSE)}</body>")) == [
            *WRITTEN,
            ("paragraph", PROSE[3:]),
        ]

    def test_a_page_of_links_is_kept(self) -> None:
        assert "Other page 59" in read(f"<body><h1>Index</h1><ul>{LINKS}</ul></body>").text

    def test_a_list_of_links_that_the_text_introduces_is_kept(self) -> None:
        page = f"<body>{ARTICLE}{PROSE}<h2>See also</h2><ul>{LINKS}</ul></body>"
        assert "Other page 59" in read(page).text

    def test_footnotes_and_admonitions_in_asides(self) -> None:
        page = "<p>a</p><aside class='footnote'><p>[1] b</p></aside><aside><p>c</p></aside>"
        assert read(page).text == "a\n\n[1] b"

    def test_the_header_of_an_article(self) -> None:
        page = "<header>Site</header><article><header><h1>T</h1></header><p>a</article>"
        assert read(page).text == "T\n\na"


PROSE = "<p>" + "Many words make a page of prose and no list of links. " * 6
PROSE = PROSE.strip()


class TestTables:
    def test_spans_and_header_rows(self) -> None:
        parsed = read(
            "<table><caption>예산</caption><thead><tr><th rowspan=2>구분<th colspan=2>금액"
            "<tr><th>국비<th>시비<tbody><tr><td rowspan=2>2024<td>10<td>20<br>억<tr><td>30<td>40"
            "</table>"
        )
        caption, table = parsed.blocks
        assert parsed.text[caption.start : caption.end] == "예산"
        lines = ["구분 | 금액 |", "구분 | 국비 | 시비", "2024 | 10 | 20 억", "2024 | 30 | 40"]
        assert parsed.text[table.start : table.end].split("\n") == lines
        assert parsed.text[table.start : table.header].split("\n") == lines[:2]

    def test_no_header_without_th(self) -> None:
        (block,) = read("<table><tr><td>a<td>b<tr><td>c<td>d</table>").blocks
        assert (block.kind, block.header) == ("table", 0)

    def test_each_table_is_a_block(self) -> None:
        table = "<table><tr><th>a<th>b<tr><td>1<td>2</table>"
        assert [b.kind for b in read(table * 2).blocks] == ["table", "table"]

    def test_tables_within_tables_are_layout(self) -> None:
        inner = "<table><tr><td>a<td>b</table>"
        assert blocks(read(f"<table><tr><td>text<td>{inner}</table>")) == [
            ("paragraph", "text"),
            ("table", "a | b"),
        ]

    def test_absurd_spans(self) -> None:
        page = "<table>" + "<tr>" + "<td rowspan=99999 colspan=99999>a" * 50 + "<tr><td>b</table>"
        parsed = read(page)
        assert len(parsed.text) < 10_000
        assert parsed.text.endswith("b")


class TestElements:
    def test_ruby_definitions_details_and_formulas(self) -> None:
        parsed = read(
            "<p><ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を"
            "<dl><dt>Term<dd>Meaning<dt>용어<dd>뜻</dl>"
            "<details><summary>More</summary><p>Inside</details>"
            "<p>Area <math><mi>r</mi><annotation encoding='application/x-tex'>\\pi r^2</annotation>"
            "</math>."
        )
        assert blocks(parsed) == [
            ("paragraph", "漢字(かんじ)を"),
            ("list", "- Term\n  Meaning\n- 용어\n  뜻"),
            ("paragraph", "More"),
            ("paragraph", "Inside"),
            ("paragraph", "Area \\pi r^2 ."),
        ]

    def test_metadata(self) -> None:
        parsed = read(
            "<html lang=ko><head><title>봄 - 사이트</title><base href='http://x/'>"
            "<meta property='og:title' content='봄'><meta name=description content='one'>"
            "<meta property='og:description' content='two'><meta name=Author content='홍길동'>"
            "<meta property='article:published_time' content='2024-03-05'></head><body><p>a"
        )
        assert parsed.title == "봄"
        assert parsed.metadata == {
            "description": "one",
            "author": "홍길동",
            "date": "2024-03-05",
            "language": "ko",
        }


class TestBounds:
    @pytest.mark.parametrize(
        "tag", ["div", "b", "table><tr><td", "ul><li", "blockquote", "font a=1"]
    )
    def test_a_hundred_thousand_deep(self, tag: str) -> None:
        assert "deep" in read(f"<{tag}>" * 100_000 + "deep").text

    def test_more_elements_than_a_tree_pays_for(self) -> None:
        page = "<h1>Title</h1><p>one &amp; two<script>no()</script><!-- no --><br>three" * 60_000
        parsed = read(f"<title>All</title>{page}<p>끝")
        assert parsed.title == "All"
        assert parsed.text.startswith("Title\n\none & two\nthree")
        assert parsed.text.endswith("끝")
        assert "no()" not in parsed.text
        headings = [b for b in parsed.blocks if b.kind == "heading"]
        assert (len(headings), headings[0].title, headings[0].level) == (60_000, "Title", 1)
        assert "tables are text" in parsed.notes[0]

    @pytest.mark.parametrize(
        "piece", ["<!--", "<script>", "<style>", "<svg>", "<a ", "<", "</", "&", "<td", "<![CDATA["]
    )
    def test_what_never_ends(self, piece: str) -> None:
        assert read("<p>text</p>" + piece * 400_000).text.startswith("text")

    def test_one_long_line(self) -> None:
        text = read("word " * 5_000_000).text
        assert text == ("word " * 5_000_000).strip()

    @given(st.text(st.sampled_from("<>/=\"'&;abpdivtrhlu1 \n가-!"), max_size=200))
    @settings(max_examples=150, deadline=None)
    def test_any_text(self, text: str) -> None:
        try:
            parsed = read(text)
        except SourceError:
            return
        assert all(0 <= b.start < b.end <= len(parsed.text) for b in parsed.blocks)
