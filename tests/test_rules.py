from __future__ import annotations

from pathlib import Path

import pytest

from indexer.rules import ruled
from rag.errors import ConfigError
from rag.rules import Rule
from rag.settings import Settings
from rag.types import Document


def test_all_rules_count_and_the_last_most() -> None:
    rules = (
        Rule("**", {"origin": "wiki", "year": "2025"}, ("staff",)),
        Rule("hr/**", {"year": "2026"}, ("hr", "board")),
        Rule("hr/*.md", {"kind": "note"}),
        Rule("it/**", {"kind": "manual"}),
    )
    document = Document("u", "hr/pay.md", "", "Text.", metadata={"author": "Kim", "year": "1999"})
    found = ruled(document, rules)
    assert found.metadata == {"author": "Kim", "origin": "wiki", "year": "2026", "kind": "note"}
    assert found.groups == ("hr", "board")
    assert ruled(Document("u", "x.md", "", "T"), rules).groups == ("staff",)
    assert ruled(document, rules[3:]) is document


def test_rules_come_from_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "rag.toml"
    file.write_text(
        'words = ["샘터", "vLLM"]\n'
        '[[rules]]\nglob = "hr/**"\ngroups = ["hr"]\n'
        '[[rules]]\nglob = "*.md"\nfields = { year = 2026, draft = "no" }\n',
        "utf-8",
    )
    found = Settings.load(file)
    assert found.words == ("샘터", "vLLM")
    assert found.rules == (
        Rule("hr/**", {}, ("hr",)),
        Rule("*.md", {"year": "2026", "draft": "no"}),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules = 3", r"rule 1 must be a table with a glob"),
        ("[[rules]]\nglob = 3", r"rule 1 must be a table with a glob"),
        (
            '[[rules]]\nglob = "a"\n[[rules]]\nglob = "b"\nwho = "x"',
            r"rule 2 has an unknown key 'who'",
        ),
        ('[[rules]]\nglob = "a"\ngroups = "hr"', r"fields must be a table, groups a list of names"),
        ('[[rules]]\nglob = "a"\ngroups = [""]', r"fields must be a table, groups a list of names"),
        (
            '[[rules]]\nglob = "a"\nfields = ["x"]',
            r"fields must be a table, groups a list of names",
        ),
        ("words = 3", r"words must be a list of texts, not 3"),
        ("words = [3]", r"words must be a list of texts"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rag.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        Settings.load(file)


def test_lists_in_variables_have_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_WATCH", "a/b , c d,")
    assert Settings.load().watch == ("a/b", "c d")
