"""Source code: definitions by name in every language, and no character lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.code import read_code
from indexer.readers.code_languages import GRAMMARS, LANGUAGES
from indexer.readers.formats import BY_NAME
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError


def read(text: str, path: str = "a.py") -> Parsed:
    return read_code(Raw(text.encode(), path))


def blocks(parsed: Parsed) -> list[tuple[str, str]]:
    return [(b.title, parsed.text[b.start : b.end]) for b in parsed.blocks]


PYTHON = '''\
"""모듈 설명."""

import os

LIMIT = 3  # a trailing comment


@frozen
# why
class Store(Base):
    """A store."""

    size: int

    # reads a key
    @override
    def get(self, key):
        return key

    class Inner:
        def deep(self):
            pass


if os:
    async def maybe(): pass

def top(a,
        b):
    def nested():
        pass

    return nested
'''


def test_python_by_definitions() -> None:
    parsed = read(PYTHON, "pkg/store.py")
    assert blocks(parsed) == [
        ("", '"""모듈 설명."""'),
        ("", "import os"),
        ("", "LIMIT = 3  # a trailing comment"),
        ("Store", '@frozen\n# why\nclass Store(Base):\n    """A store."""'),
        ("Store", "    size: int"),
        (
            "Store.get",
            "    # reads a key\n    @override\n    def get(self, key):\n        return key",
        ),
        ("Store.Inner", "    class Inner:"),
        ("Store.Inner.deep", "        def deep(self):\n            pass"),
        ("", "if os:"),
        ("maybe", "    async def maybe(): pass"),
        ("top", PYTHON[PYTHON.index("def top") :].rstrip()),
    ]
    assert {b.kind for b in parsed.blocks} == {"code"}
    assert parsed.title == "store.py"
    assert parsed.metadata == {"code": "Python"}
    assert parsed.text == PYTHON


SAMPLES = {
    ".sh": ("# greets\ngreet() {\n  echo hi\n}\ngreet\n", ["greet"]),
    ".c": (
        "/* doc */\ntypedef struct { int a; } S;\nstatic int *find(int a)\n{\n  return 0;\n}\n"
        "struct Q { int b; };\nstruct Q q;\n",
        ["S", "find", "Q"],
    ),
    ".cs": (
        "using X;\nnamespace N {\n  /// doc\n  class C {\n    int P { get; set; }\n"
        "    void M() {\n    }\n  }\n}\n",
        ["N", "N.C", "N.C.P", "N.C.M"],
    ),
    ".cpp": (
        "#ifdef A\nnamespace ns {\ntemplate <typename T>\nclass Foo : Bar {\n  int x;\n"
        "  int get() const { return 1; }\n};\nint Foo::set(int x) {\n  return x;\n}\n}\n#endif\n",
        ["ns", "ns.Foo", "ns.Foo.get", "ns.Foo.set"],
    ),
    ".go": (
        "package main\n\n// Server serves.\ntype Server struct {\n\ta int\n}\n\n"
        "func (s *Server) Run() error {\n\treturn nil\n}\nfunc main() {}\n",
        ["Server", "Server.Run", "main"],
    ),
    ".java": (
        "package p;\n/** Doc. */\n@Anno\npublic class A {\n  int x;\n  @Override\n"
        "  public void m() { }\n  interface I {\n    void i();\n  }\n}\n",
        ["A", "A.m", "A.I", "A.I.i"],
    ),
    ".js": (
        "'use strict';\nclass A {\n  m() {}\n}\nfunction f() {}\nexport const h = async () => 1;\n"
        "const plain = 2;\n",
        ["A", "A.m", "f", "h"],
    ),
    ".kt": (
        "package p\n\nclass A(val x: Int) {\n    fun m(): Int = 1\n}\n\nobject O {\n    fun o() {\n"
        "    }\n}\n\nfun top() {\n}\n",
        ["A", "A.m", "O", "O.o", "top"],
    ),
    ".lua": ("local M = {}\nfunction M.foo(a)\n  return a\nend\nreturn M\n", ["M.foo"]),
    ".php": (
        "<?php\n/** doc */\nclass C {\n  private $x;\n  public function m() { return 1; }\n}\n"
        "function f() {}\n",
        ["C", "C.m", "f"],
    ),
    ".py": (PYTHON, ["Store", "Store.get", "Store.Inner", "Store.Inner.deep", "maybe", "top"]),
    ".rb": (
        "module M\n  # doc\n  class C < B\n    def m(a)\n      1\n    end\n  end\nend\n",
        ["M", "M.C", "M.C.m"],
    ),
    ".rs": (
        "/// A point.\n#[derive(Debug)]\npub struct Point { x: i32 }\n\nimpl Show for Point {\n"
        "    fn fmt(&self) -> R { Ok(()) }\n}\n",
        ["Point", "Point.fmt"],
    ),
    ".sql": (
        "-- people\nCREATE TABLE people (id INT PRIMARY KEY);\n\nSELECT 1;\n\n"
        "CREATE VIEW v AS SELECT * FROM people;\n",
        ["people", "v"],
    ),
    ".scala": (
        "class A(x: Int) {\n  def m(): Int = 1\n}\ntrait T {\n  def t: Int\n}\n",
        ["A", "A.m", "T", "T.t"],
    ),
    ".swift": (
        "import F\nclass A: B {\n  init() {}\n  func m() -> Int { return 1 }\n}\nfunc top() {}\n",
        ["A", "A.init", "A.m", "top"],
    ),
    ".tsx": (
        "export function View() {\n  return <p>안녕</p>;\n}\ninterface Props {\n  a: string;\n}\n",
        ["View", "Props"],
    ),
    ".ts": (
        "/** Doc */\nexport class A<T> extends B {\n  private z = 1;\n  // m\n  async m() { }\n}\n"
        "type T1 = string;\nexport default function main() {}\n",
        ["A", "A.m", "T1", "main"],
    ),
}


@pytest.mark.parametrize("suffix", SAMPLES)
def test_names_of_definitions(suffix: str) -> None:
    text, names = SAMPLES[suffix]
    parsed = read(text, f"a{suffix}")
    found = [block.title for block in parsed.blocks if block.title]
    assert list(dict.fromkeys(found)) == names
    assert parsed.metadata == {"code": LANGUAGES[suffix]}


def test_every_grammar_has_a_sample() -> None:
    assert {LANGUAGES[suffix] for suffix in SAMPLES} == set(GRAMMARS)


def test_every_grammar_has_a_suffix_that_the_format_takes() -> None:
    assert set(GRAMMARS) <= set(LANGUAGES.values())
    assert set(LANGUAGES) <= set(BY_NAME["code"].suffixes)


@pytest.mark.parametrize("suffix", SAMPLES)
def test_comments_stay_with_their_definition(suffix: str) -> None:
    text, _ = SAMPLES[suffix]
    for title, block in blocks(read(text, f"a{suffix}")):
        last = block.split("\n")[-1].strip()
        assert not last.startswith(("/**", "///", "// ", "-- ", "# ")), (title, block)


def test_without_a_grammar() -> None:
    text = "x <- 1\n\nf <- function(a) {\n  a\n}\n"
    assert blocks(read(text, "a.R")) == [("", "x <- 1"), ("", "f <- function(a) {\n  a\n}")]
    assert read(text, "a.R").metadata == {"code": "R"}
    assert read("x = 1", "a.xyz").metadata == {}


def test_broken_code_is_cut_at_blank_lines() -> None:
    text = ")))) def (((\n\n}}}} [[ class\n" * 50
    assert {title for title, _ in blocks(read(text))} == {""}
    assert len(read(text).blocks) > 50


def test_one_broken_function_spoils_no_other() -> None:
    found = [title for title, _ in blocks(read("def a():\n    x = (\n\ndef b():\n    pass\n"))]
    assert "b" in found


def test_large_files_are_not_parsed() -> None:
    text = "def f():\n    pass\n\n" * 40_000
    assert {b.title for b in read(text).blocks} == {""}


def test_very_deep_nesting() -> None:
    scopes = "".join(f"{'  ' * i}class A{i}:\n" for i in range(300))
    assert read(scopes).blocks[-1].title.startswith("A0.A1.A2")
    assert len(read("(" * 100_000, "a.js").blocks) == 1


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_character_is_lost(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(sorted(SAMPLES)))
    text = bytearray(SAMPLES[suffix][0].encode())
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(text)))
        text[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.sampled_from([b"", b"\n", b"}"])
        )
    try:
        parsed = read(bytes(text).decode("utf-8", "ignore"), f"a{suffix}")
    except SourceError:
        return
    end = 0
    for block in parsed.blocks:
        assert not parsed.text[end : block.start].strip()
        assert block.start < block.end
        end = block.end
    assert not parsed.text[end:].strip()
