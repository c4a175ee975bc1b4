"""Grids and settings files as configurations."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.configuration import GRIDS, from_files, from_grid, without_secrets
from rag.errors import ConfigError
from rag.settings import Settings

BASE = Settings(encoder="hashing")


def grid(tmp_path: Path, text: str) -> str:
    file = tmp_path / "grid.toml"
    file.write_text(text, "utf-8")
    return str(file)


@pytest.mark.parametrize("name", GRIDS)
def test_the_named_grids_can_be_read(name: str) -> None:
    found = from_grid(name, BASE, cut=False)
    assert all(c.settings.encoder == "hashing" for c in found)
    assert {"bm25", "quotations"} & {c.name for c in found}


def test_the_default_grid_has_what_people_know_and_all_of_ours() -> None:
    found = {c.name: c for c in from_grid("default", BASE, cut=True)}
    assert list(found) == ["rank-bm25", "bm25s", "scikit-learn", "tfidf", "bm25", "dense",
                           "hybrid", "reranked"]  # fmt: skip
    assert found["reranked"].settings.rerank == "linear"
    assert all(c.cut for c in found.values())
    assert [c.name for c in found.values() if c.vectors] == ["dense", "hybrid", "reranked"]
    assert found["bm25s"].described() == {"system": "bm25s"}
    assert found["tfidf"].described() == {
        "mode": "tfidf",
        "encoder": "hashing",
        "chunk_tokens": "300",
    }


def test_a_grid_makes_all_combinations(tmp_path: Path) -> None:
    text = '[grid]\nmode = "bm25"\nk1 = [0.9, 1.2]\nb = [0.4, 0.75]\n'
    found = from_grid(grid(tmp_path, text), BASE, cut=False)
    assert [(c.settings.k1, c.settings.b) for c in found] == [
        (0.9, 0.4), (0.9, 0.75), (1.2, 0.4), (1.2, 0.75),
    ]  # fmt: skip
    assert found[0].name == "k1=0.9 b=0.4"
    assert {c.settings.mode for c in found} == {"bm25"}


def test_settings_files_are_named_after_themselves(tmp_path: Path) -> None:
    (tmp_path / "가.toml").write_text("k1 = 2.0\n", "utf-8")
    (found,) = from_files([tmp_path / "가.toml"], BASE, cut=False)
    assert (found.name, found.settings.k1) == ("가", 2.0)


def test_a_whole_settings_file_may_be_compared(tmp_path: Path) -> None:
    text = 'home = "/x"\nchunk_tokens = 100\nllm_url = "http://me:secret@host:1/v1?key=secret"\n'
    (tmp_path / "rag.toml").write_text(text, "utf-8")
    (found,) = from_files([tmp_path / "rag.toml"], BASE, cut=False)
    assert (found.settings.home, found.settings.chunk_tokens) == (BASE.home, 300)
    assert found.described()["llm_url"] == "http://host:1/v1"


def test_commands_are_shown_without_secrets() -> None:
    shown = without_secrets("rag eval --judge-url 'https://a:b@host/v1?key=1' --data x")
    assert shown == "rag eval --judge-url 'https://host/v1' --data x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grid]\nk2 = [1]\n", "unknown setting 'k2'"),
        ("[[configuration]]\nk1 = 1\n", "has no name"),
        ('[[configuration]]\nname = "a"\nsystem = "lucene"\n', "no system 'lucene'"),
        ('[[configuration]]\nname = "a"\n[[configuration]]\nname = "a"\n', "are called 'a'"),
        ("grids = 1\n", "a grid has no 'grids'"),
        ("[grid\n", "cannot be read"),
        ("", "names no configuration"),
        ("[grid]\nb = [2]\n", "b must be 0 to 1"),
        ("grid = 3\n", "write \\[\\[configuration\\]\\]"),
        ('[configuration]\nname = "a"\n', "write \\[\\[configuration\\]\\]"),
        ('[grid]\nhome = "/"\n', "'home' changes nothing"),
        ("[grid]\nchunk_tokens = [100, 200]\n", "only where documents are cut"),
    ],
)
def test_what_is_wrong_with_a_grid(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_grid(grid(tmp_path, text), BASE, cut=False)


def test_files_that_are_missing() -> None:
    with pytest.raises(ConfigError, match="there is no grid 'nothing'"):
        from_grid("nothing", BASE, cut=False)
    with pytest.raises(ConfigError, match=r"no settings file .*a\.toml"):
        from_files([Path("a.toml")], BASE, cut=False)


def test_quotations_are_quoted_even_where_a_model_is_set() -> None:
    base = Settings(llm_url="http://127.0.0.1:9/v1")
    quotations, *others = from_grid("programs", base, cut=False)
    assert (quotations.name, quotations.settings.llm, quotations.settings.llm_url) == (
        "quotations", "none", "")  # fmt: skip
    assert {c.settings.llm_url for c in others} == {base.llm_url}
