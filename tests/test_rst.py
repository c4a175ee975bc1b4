from __future__ import annotations

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_readers import blocks, document, headings

RST = """.. _start:

=====
Title
=====

About :class:`~flask.Flask` here::

    code one

    code two

Using ``run`` and `Docs <http://x>`_
------------------------------------

#.  First item
    goes on

    and on
#.  Second

.. code-block:: python
    :linenos:

    x = 1

    y = 2

.. note::

    Inside a note.

한국어 제목
~~~~~~~~~~~

=====  =====
a      b
=====  =====

>>> 1 + 1
2

Not a heading
--
"""


class TestRst:
    def test_blocks(self) -> None:
        assert blocks(document(RST, "a.rst")) == [
            ("paragraph", ".. _start:"),
            ("heading", "=====\nTitle\n====="),
            ("paragraph", "About :class:`~flask.Flask` here::"),
            ("code", "    code one\n\n    code two"),
            ("heading", "Using ``run`` and `Docs <http://x>`_\n" + "-" * 36),
            ("list", "#.  First item\n    goes on\n\n    and on\n#.  Second"),
            ("code", ".. code-block:: python\n    :linenos:\n\n    x = 1\n\n    y = 2"),
            ("paragraph", ".. note::"),
            ("paragraph", "    Inside a note."),
            ("heading", "한국어 제목\n~~~~~~~~~~~"),
            ("table", "=====  =====\na      b\n=====  ====="),
            ("code", ">>> 1 + 1\n2"),
            ("paragraph", "Not a heading\n--"),
        ]

    def test_title_and_headings(self) -> None:
        d = document(RST, "a.rst")
        assert d.title == "Title"
        assert headings(d) == [(1, "Title"), (2, "Using run and Docs"), (3, "한국어 제목")]

    @given(st.lists(st.tuples(st.integers(0, 3), st.text("ab 가:.", min_size=1))))
    @settings(max_examples=100, deadline=None)
    def test_headings_are_those_of_docutils(self, sections: list[tuple[int, str]]) -> None:
        text, above = "start\n\n", -1
        for wanted, words in sections:
            above = min(wanted, above + 1)
            title = f"t{words}".strip()
            rule = "==-~"[above] * (2 * len(title) + 2)
            text += f"{rule}\n" if above == 0 else ""
            text += f"{title}\n{rule}\n\ntext\n\n"
        quiet = {
            "report_level": 5,
            "halt_level": 6,
            "warning_stream": False,
            "doctitle_xform": False,
            "_disable_config": True,
        }
        tree = publish_doctree(text, settings_overrides=quiet)
        expected = [" ".join(s[0].astext().split()) for s in tree.findall(nodes.section)]
        assert [title for _, title in headings(document(text, "a.rst"))] == expected

    @pytest.mark.parametrize(
        ("title", "bare"),
        [
            ("The *main* **thing** |x|", "The main thing x"),
            ("2*3*4 and a\\*b", "2*3*4 and a*b"),
            (":doc:`Start here </start>` and :meth:`~a.b`", "Start here and a.b"),
            ("``--app`` of `Flask`_", "--app of Flask"),
        ],
    )
    def test_bare_title(self, title: str, bare: str) -> None:
        assert headings(document(f"{title}\n{'=' * len(title)}", "a.rst")) == [(1, bare)]

    def test_nothing_is_run_or_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        d = document(".. include:: /etc/hostname\n\n.. nonsense:: x\n\n:nonsense:`y`", "a.rst")
        assert d.text == ".. include:: /etc/hostname\n\n.. nonsense:: x\n\n:nonsense:`y`"
        assert capfd.readouterr() == ("", "")

    def test_field_list_below_the_title_is_metadata(self) -> None:
        d = document(
            "Title\n=====\n\n:Author: Kim\n:Tags: tea,\n   차\n:orphan:\n\nText.\n\n:not: this\n",
            "a.rst",
        )
        assert d.metadata == {"author": "Kim", "tags": "tea, 차", "format": "rst"}
        assert document("Text.\n\n:a: b\n\n:c: d", "a.rst").metadata == {"a": "b", "format": "rst"}

    @pytest.mark.parametrize(
        ("table", "head"),
        [
            ("=== ===\na   b\n=== ===\n1   2\n=== ===", "=== ===\na   b\n=== ==="),
            ("=== ===\n1   2\n=== ===", ""),
            ("+---+\n| a |\n+===+\n| 1 |\n+---+", "+---+\n| a |\n+===+"),
            ("+---+\n| 1 |\n+---+", ""),
        ],
    )
    def test_rows_that_head_a_table(self, table: str, head: str) -> None:
        d = document(f"Text.\n\n{table}\n\nText.", "a.rst")
        (block,) = [b for b in d.blocks if b.kind == "table"]
        assert (d.text[block.start : block.end], d.text[block.start : block.header]) == (
            table,
            head,
        )
