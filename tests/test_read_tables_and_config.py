"""CSV and TSV cell by cell; XML, YAML and TOML by their parts; bombs end in time."""

from __future__ import annotations

import csv
import io
import tomllib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import SourceError
from tests.support.reading import headers, read_file, recall, shown

CELLS = st.text('ab가 ,;"\n\t1', max_size=6)


def written(rows: list[list[str]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


class TestCsv:
    @given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8))
    def test_cell_by_cell(self, rows: list[list[str]]) -> None:
        table = [["name", "이름", "amount"], *rows]
        found = read_file(written(table), "a.csv")
        ((kind, text),) = shown(found)
        assert kind == "table"
        assert next(csv.reader(io.StringIO(text))) == table[0]
        assert found.document.text == written(table)
        assert found.verbatim
        assert text == written(table).rstrip()

    @pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
    def test_delimiter_and_header(self, mark: str) -> None:
        rows = [
            ["city", "people", "note"],
            ["Seoul", "9", "big, old; a|b"],
            ["부산", "3", "two\nlines"],
        ]
        found = read_file(written(rows, mark), "a.tsv" if mark == "\t" else "a.csv")
        assert headers(found) == [mark.join(rows[0])]
        ((_, text),) = shown(found)
        assert list(csv.reader(io.StringIO(text), delimiter=mark)) == rows

    def test_a_header_of_several_lines(self) -> None:
        found = read_file('"city\nname",people\nSeoul,9\n', "a.csv")
        assert headers(found) == ['"city\nname",people']

    @pytest.mark.parametrize("data", ["1,2\n3,4\n", "a,a\n1,2\n", "a,\n1,2\n", "only,names"])
    def test_no_header(self, data: str) -> None:
        assert headers(read_file(data, "a.csv")) == [""]

    def test_lines_above_the_table(self) -> None:
        found = read_file("Sales of 2024\n\ncity,people\nSeoul,9\nBusan,3\n", "a.csv")
        assert shown(found) == [
            ("paragraph", "Sales of 2024"),
            ("table", "city,people\nSeoul,9\nBusan,3"),
        ]
        assert headers(found) == ["city,people"]

    def test_an_open_quote_and_a_million_columns(self) -> None:
        assert shown(read_file('a,b\n"' + "x,y\n" * 99_999, "a.csv"))[0][0] == "table"
        wide = ",".join(f"c{i}" for i in range(10**6))
        found = read_file(f"{wide}\n{wide}\n", "a.csv")
        assert headers(found) == [""]
        assert len(shown(found)[0][1]) == 2 * len(wide) + 1


class TestXml:
    def test_a_document(self) -> None:
        found = read_file(
            '<?xml version="1.0" encoding="EUC-KR"?><article xmlns="u:x" lang="ko"><title>차 이야기'
            "</title><section id='s1'><title>Green <i>tea</i></title><para>It is brewed at "
            "<b>80</b> degrees.</para><entry><name>녹차</name><price>3</price></entry>"
            "<img src='a.png'/><!-- no --></section></article>".encode("euc-kr")
            .decode("latin-1")
            .encode("latin-1")
            .decode("euc-kr"),
            "a.xml",
        )
        assert shown(found) == [
            ("paragraph", "article.lang: ko"),
            ("heading", "차 이야기"),
            ("paragraph", "section.id: s1"),
            ("heading", "Green tea"),
            ("paragraph", "It is brewed at 80 degrees."),
            ("paragraph", "name: 녹차\nprice: 3"),
            ("paragraph", "img.src: a.png"),
        ]
        assert [b.level for b in found.document.blocks if b.level] == [1, 2]

    def test_declared_encoding(self) -> None:
        page = '<?xml version="1.0" encoding="euc-kr"?><a>똠방각하</a>'.encode("cp949")
        found = read_file(page, "a.xml")
        assert shown(found) == [("paragraph", "a: 똠방각하")]
        assert found.document.metadata["encoding"] == "cp949"

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "entities"),
            ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "entities"),
            ("<a><b></a>", "not well-formed"),
        ],
    )
    def test_refused(self, data: str, why: str) -> None:
        with pytest.raises(SourceError, match=why):
            read_file(data, "a.xml")

    def test_a_hundred_thousand_deep(self) -> None:
        n = 100_000
        assert read_file("<a>" * n + "core" + "</a>" * n, "a.xml").document.text == "a: core"


YAML = """# About this file
title: Tea house # of ours
version: 1.10

# Where it runs
servers:
  - name: one
    port: 80
  - name: two
"quoted key":
  |
  text: not a key
hours: {open: 9}
"""
TOML = '''name = "tea"
text = """
[no table]
"""

# how to build
[tool.build]
fast = true
cups = [
  1,
]

[[cups]]
size = 3
'''


class TestConfiguration:
    def test_yaml(self) -> None:
        found = read_file(YAML, "a.yaml")
        assert found.document.text == YAML
        assert shown(found) == [
            ("code", "# About this file\ntitle: Tea house # of ours\nversion: 1.10"),
            ("code", "# Where it runs\nservers:\n  - name: one\n    port: 80\n  - name: two"),
            ("code", '"quoted key":\n  |\n  text: not a key'),
            ("code", "hours: {open: 9}"),
        ]
        assert [b.title for b in found.document.blocks] == ["", "servers", "quoted key", ""]
        assert found.document.title == "Tea house"

    def test_toml(self) -> None:
        found = read_file(TOML, "a.toml")
        assert [b.title for b in found.document.blocks] == ["", "tool.build", "cups"]
        assert shown(found)[1] == (
            "code",
            "# how to build\n[tool.build]\nfast = true\ncups = [\n  1,\n]",
        )
        assert found.document.text == TOML

    @given(
        st.dictionaries(
            st.text("abc", min_size=1),
            st.lists(st.text("xyz가", min_size=1), min_size=1),
            min_size=1,
        )
    )
    def test_yaml_as_a_library_writes_it(self, value: dict[str, list[str]]) -> None:
        text = yaml.safe_dump(value, allow_unicode=True)
        found = read_file(text, "a.yml")
        assert recall(text, found) == 1
        assert {b.title for b in found.document.blocks} == {str(key) for key in value}

    def test_parts_of_toml_are_toml(self) -> None:
        parts = [tomllib.loads(text) for _, text in shown(read_file(TOML, "a.toml"))]
        assert parts[1:] == [
            {"tool": {"build": {"fast": True, "cups": [1]}}},
            {"cups": [{"size": 3}]},
        ]

    def test_bombs_stay_as_they_are(self) -> None:
        lines = [f"b{i}: &b{i} [*b{i - 1}, *b{i - 1}]" for i in range(1, 60)]
        bomb = "\n".join(["b0: &b0 [x]", *lines])
        assert shown(read_file(bomb, "a.yaml")) == [("code", bomb)]
        assert read_file("#\n" * 200_000 + "a: 1", "a.yaml").document.text.endswith("a: 1")
        assert len(shown(read_file('"""a\n' * 9_999, "a.toml"))) == 1
