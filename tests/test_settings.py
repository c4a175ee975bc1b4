"""Settings: four places, one order, and refusals that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.errors import ConfigError
from rag.settings import Settings


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and none of the caller's variables."""
    import os

    for name in [n for n in os.environ if n.startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def toml(text: str) -> None:
    Path("rag.toml").write_text(text, "utf-8")


class TestPrecedence:
    def test_defaults_hold_when_nothing_is_said(self) -> None:
        assert Settings.load() == Settings()

    def test_each_place_wins_over_the_one_before(self, monkeypatch: pytest.MonkeyPatch) -> None:
        default = Settings().top_k
        toml("top_k = 21\nport = 1\nb = 0.5")
        assert (Settings.load().top_k, default) == (21, 10)
        monkeypatch.setenv("RAG_TOP_K", "22")
        monkeypatch.setenv("RAG_PORT", "2")
        assert Settings.load().top_k == 22
        found = Settings.load(top_k=23)
        assert (found.top_k, found.port, found.b, found.k1) == (23, 2, 0.5, 1.2)

    def test_a_flag_that_is_none_does_not_count(self) -> None:
        toml("top_k = 21")
        assert Settings.load(top_k=None).top_k == 21

    def test_a_flag_that_is_zero_counts(self) -> None:
        toml("dense_weight = 0.7")
        assert Settings.load(dense_weight=0.0).dense_weight == 0.0

    def test_the_file_may_be_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        toml("top_k = 21")
        other = tmp_path / "other.toml"
        other.write_text("top_k = 31")
        assert Settings.load(other).top_k == 31
        monkeypatch.setenv("RAG_CONFIG", str(other))
        assert Settings.load().top_k == 31

    def test_variables_and_files_come_as_the_right_types(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        toml('home = "~/somewhere"')
        monkeypatch.setenv("RAG_DENSE_WEIGHT", "0.25")
        monkeypatch.setenv("RAG_MODE", "bm25")
        found = Settings.load()
        assert found.home == Path.home() / "somewhere"
        assert (found.dense_weight, found.mode) == (0.25, "bm25")

    def test_models_go_to_the_users_cache(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
        assert Settings().cache == Path("/somewhere/saem")


class TestRefusals:
    def test_an_unknown_key_gets_a_suggestion_and_its_origin(self) -> None:
        toml("topk = 3")
        with pytest.raises(ConfigError, match=r"rag\.toml names an unknown setting 'topk'") as e:
            Settings.load()
        assert e.value.remedy == "Did you mean 'top_k'?"

    def test_a_key_like_no_other_gets_the_list(self) -> None:
        with pytest.raises(ConfigError, match="'zzzzzz'") as e:
            Settings.load(zzzzzz=1)
        assert "README" in e.value.remedy

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("top_k", "ten", "top_k must be a whole number, not 'ten'"),
            ("top_k", [1], "top_k must be a whole number"),
            ("b", "much", "b must be a number, not 'much'"),
            ("mode", "magic", "mode must be one of bm25, tfidf, dense, hybrid, not 'magic'"),
            (
                "fusion",
                3,
                "fusion must be one of linear, convex, theoretical, rrf, dbsf, isr, not 3",
            ),
            ("host", 3, "host must be text, not 3"),
            (
                "rewrite",
                "repair, rephrase",
                "rewrite must be one of repair, condense, multi, hyde, decompose, translate, "
                "not 'rephrase'",
            ),
            (
                "redact",
                ["passport"],
                "redact must be one of resident, phone, email, card, not 'passport'",
            ),
        ],
    )
    def test_a_wrong_type_names_the_setting(self, name: str, value: Any, says: str) -> None:
        with pytest.raises(ConfigError) as e:
            Settings.load(**{name: value})
        assert f"--{name}: {says}" in str(e.value)

    def test_a_wrong_variable_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RAG_PORT", "http")
        with pytest.raises(ConfigError, match="RAG_PORT: port must be a whole number, not 'http'"):
            Settings.load()

    @pytest.mark.parametrize(
        "name",
        ["chunk_tokens", "top_k", "context_tokens", "answer_tokens", "llm_timeout",
         "max_query_chars", "max_upload_mb"],
    )  # fmt: skip
    def test_sizes_are_positive(self, name: str) -> None:
        with pytest.raises(ConfigError, match=f"{name} must be above 0, not 0"):
            Settings.load(**{name: 0})
        assert getattr(Settings.load(**{name: 1}), name) == 1

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [("dense_weight", 0, 1), ("b", 0, 1), ("k1", 0, 100), ("port", 0, 65535)],
    )
    def test_bounds_are_included(self, name: str, low: float, high: float) -> None:
        for value in (low, high):
            assert getattr(Settings.load(**{name: value}), name) == value
        for value in (low - 1, high + 1):
            with pytest.raises(ConfigError, match=f"{name} must be {low} to {high}, not"):
                Settings.load(**{name: value})

    def test_not_a_number_is_no_share(self) -> None:
        with pytest.raises(ConfigError):
            Settings.load(dense_weight=float("nan"))

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-x", "a" * 65, "a\n", "a b"])
    def test_a_collections_name_stays_inside_its_folder(self, name: str) -> None:
        with pytest.raises(ConfigError, match="no name for a collection"):
            Settings.load(collection=name)

    @pytest.mark.parametrize("name", ["a", "문서", "v1.2_x-y", "a" * 64])
    def test_good_names(self, name: str) -> None:
        assert Settings.load(collection=name).collection == name

    def test_a_file_that_is_no_toml_is_named(self) -> None:
        toml("top_k = = 3")
        with pytest.raises(ConfigError, match=r"rag\.toml cannot be read"):
            Settings.load()

    def test_a_file_that_was_asked_for_must_be_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ConfigError, match="there is no settings file"):
            Settings.load(tmp_path / "gone.toml")
        monkeypatch.setenv("RAG_CONFIG", "gone.toml")
        with pytest.raises(ConfigError, match=r"there is no settings file gone\.toml"):
            Settings.load()

    def test_a_replaced_value_is_checked_too(self) -> None:
        assert Settings().replace(top_k=3).top_k == 3
        with pytest.raises(ConfigError):
            Settings().replace(top_k=0)


def test_keys_are_not_printed() -> None:
    shown = repr(Settings(encoder_key="sesame", llm_key="tahini"))
    assert "sesame" not in shown
    assert "tahini" not in shown


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("FALSE", False), ("1", True), ("0", False)]
)
def test_truth_is_read_as_people_write_it(
    text: str, value: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_QUERY_LOG", text)
    assert Settings.load().query_log is value
    monkeypatch.setenv("RAG_QUERY_LOG", "perhaps")
    with pytest.raises(ConfigError, match="must be true or false, not 'perhaps'"):
        Settings.load()


def test_a_tuning_takes_the_place_of_defaults_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_B", "0.75")
    toml("k1 = 1.2")
    settings = Settings.load(top_k=5).over({"k1": 9.0, "b": 0.1, "top_k": 7, "depth": 30})
    assert (settings.k1, settings.b, settings.top_k, settings.depth) == (1.2, 0.75, 5, 30)
    assert settings.over({"explicit": [], "home": "/", "max_query_chars": 2, "zz": 1}) == settings
    with pytest.raises(ConfigError, match="the collection's tuning: k1 must be a number"):
        Settings().over({"k1": "much"})


def test_what_a_program_sets_is_explicit_too() -> None:
    for settings in (
        Settings(k1=0.5),
        Settings.load().replace(k1=0.5),
        Settings.load().with_values({"k1": 0.5}, "here"),
        Settings.load(k1=0.5),
    ):
        assert settings.over({"k1": 3.0}).k1 == 0.5


def test_explicit_is_no_setting() -> None:
    toml("explicit = ['k1']")
    with pytest.raises(ConfigError, match="unknown setting 'explicit'"):
        Settings.load()
