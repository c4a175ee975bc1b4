"""JSON, JSON Lines and notebooks: every field is found again, records read well."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from indexer.readers.decode import clean
from rag.errors import SourceError
from tests.support.reading import headers, read_file, recall, shown

ORDERS = {
    "title": "주문 목록",
    "version": 1.10,
    "open": True,
    "nothing": None,
    "tags": ["차", "tea"],
    "orders": [
        {"id": 1, "who": {"name": "김철수", "city": "Busan"}, "lines": [{"of": "녹차", "n": 3}]},
        {"title": "Second", "body": "It came too late.", "id": 2},
    ],
    "limits": {"day": {"most": 12}},
}


class TestJson:
    def test_fields_by_path(self) -> None:
        found = read_file(json.dumps(ORDERS).replace("1.1,", "1.10,"), "orders.json")
        assert shown(found) == [
            ("paragraph", "title: 주문 목록\nversion: 1.10\nopen: true\ntags: 차, tea"),
            (
                "paragraph",
                "orders[0].id: 1\norders[0].who.name: 김철수\norders[0].who.city: Busan\n"
                "orders[0].lines[0].of: 녹차\norders[0].lines[0].n: 3",
            ),
            ("heading", "Second"),
            ("paragraph", "It came too late."),
            ("paragraph", "orders[1].id: 2"),
            ("paragraph", "limits.day.most: 12"),
        ]
        assert (found.document.title, found.verbatim) == ("주문 목록", False)

    @given(
        st.recursive(
            st.text("ab가 \0\ud800e\u0301", min_size=1) | st.integers() | st.booleans(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("kx", min_size=1), inner),
        )
    )
    def test_every_scalar_is_in_the_text(self, value: object) -> None:
        scalars: list[str] = []

        def collect(below: object) -> None:
            if isinstance(below, dict):
                for inner in below.values():
                    collect(inner)
            elif isinstance(below, list):
                for inner in below:
                    collect(inner)
            elif not isinstance(below, bool):
                scalars.append(str(below))

        collect(value)
        kept = [clean(scalar) for scalar in scalars]
        try:
            text = read_file(json.dumps(value), "a.json").document.text
        except SourceError:
            assert not "".join(kept).strip() or isinstance(value, bool)
            return
        assert all(word in text for line in kept for word in line.split())

    @pytest.mark.parametrize("data", ["[" * 100_000, '{"a":' * 100_000, "[" * 9**5 + "]" * 9**5])
    def test_too_deep(self, data: str) -> None:
        with pytest.raises(SourceError, match="nests its values too deep"):
            read_file(data, "a.json")

    def test_broken_says_where(self) -> None:
        with pytest.raises(SourceError, match=r"a\.json:3: is not valid JSON.*column 8") as caught:
            read_file('{\n"a": 1,\n"b": 2 3}', "a.json")
        assert caught.value.remedy

    def test_long_keys_and_deep_paths_are_cut(self) -> None:
        value: object = "leaf"
        for _ in range(90):
            value = {"k" * 1000: value}
        text = read_file(json.dumps(value), "a.json").document.text
        assert text.endswith("k: leaf")
        assert len(text) < 300


class TestJsonLines:
    def test_records(self) -> None:
        lines = [
            {"title": "하나", "text": "첫 번째 글입니다.", "level": "info"},
            {"at": "12:00", "message": "door opened", "room": 7},
            {"at": "12:01", "room": 8},
            {"at": "12:02", "room": 9},
        ]
        found = read_file("\n".join(json.dumps(x) for x in lines) + "\n", "log.jsonl")
        assert shown(found) == [
            ("heading", "하나"),
            ("paragraph", "첫 번째 글입니다."),
            ("paragraph", "level: info"),
            ("paragraph", "door opened"),
            ("paragraph", "at: 12:00\nroom: 7"),
            ("paragraph", "at: 12:01\nroom: 8\n\nat: 12:02\nroom: 9"),
        ]

    def test_bad_lines_are_told_of_and_the_others_read(self) -> None:
        found = read_file('{"a": 1}\nbad\n\n' + "[" * 99999 + '\nx\ny\nz\n{"a": 2}', "a.ndjson")
        assert shown(found) == [("paragraph", "a: 1\n\na: 2")]
        assert found.notes == (
            "line 2 is not valid JSON: Expecting value at column 1",
            "line 4 nests its values too deep",
            "line 5 is not valid JSON: Expecting value at column 1",
            "2 more lines are no JSON",
        )

    def test_no_good_line(self) -> None:
        with pytest.raises(SourceError, match=r"a\.jsonl:2: is not valid JSON"):
            read_file("\nbad\n", "a.jsonl")


class TestNotebook:
    def test_cells_written_by_nbformat(self) -> None:
        outputs = [
            new_output("stream", text="42 cups\n"),
            new_output("execute_result", data={"text/plain": "'녹차'", "image/png": "iVBOR"}),
            new_output("error", ename="ValueError", evalue="too hot", traceback=["\x1b[31mx"]),
            new_output("stream", text="long " * 1000),
        ]
        cells = [
            new_markdown_cell("# 차 우리기\n\nGreen tea, 80 degrees.\n\n|a|b|\n|-|-|\n|1|2|"),
            new_code_cell("def pour(cup):\n    return cup + 1", outputs=outputs),
            new_raw_cell("raw words"),
            new_markdown_cell(""),
        ]
        found = read_file(nbformat.writes(new_notebook(cells=cells)), "tea.ipynb")
        assert shown(found)[:-2] == [
            ("heading", "# 차 우리기"),
            ("paragraph", "Green tea, 80 degrees."),
            ("table", "|a|b|\n|-|-|\n|1|2|"),
            ("code", "def pour(cup):\n    return cup + 1"),
            ("code", "42 cups"),
            ("code", "'녹차'"),
            ("code", "ValueError: too hot"),
        ]
        assert shown(found)[-1] == ("paragraph", "raw words")
        assert shown(found)[-2] == ("code", "long " * 400 + " …")
        assert headers(found) == ["|a|b|\n|-|-|"]
        assert found.document.title == "차 우리기"
        assert recall("차 우리기 Green tea 80 degrees pour cup raw words", found) == 1

    def test_of_version_3(self) -> None:
        cells = [
            {"cell_type": "heading", "level": 2, "source": ["Old"]},
            {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": []},
        ]
        old = {"nbformat": 3, "worksheets": [{"cells": cells}]}
        found = read_file(json.dumps(old), "old.ipynb")
        assert shown(found) == [("heading", "Old"), ("code", "x = 1\ny = 2")]
        assert found.document.blocks[0].level == 2

    @pytest.mark.parametrize("data", ["{}", '{"cells": 3}', "[]", '{"worksheets": [3]}'])
    def test_none(self, data: str) -> None:
        with pytest.raises(SourceError, match="is no Jupyter notebook"):
            read_file(data, "a.ipynb")
