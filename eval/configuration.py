"""What is compared: configurations, one by one or as a grid."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from eval import baselines
from eval.bed import needs_vectors
from rag.errors import ConfigError
from rag.settings import Settings, fields

GRIDS = ("default", "baselines", "fusion", "lexical", "programs")


@dataclass(frozen=True, slots=True)
class Configuration:
    """One way to search.

    Attributes
    ----------
    system
        ``saem``, or one of the baselines' names, for which the settings mean nothing.
    cut
        Whether a data set's documents are cut into passages, as ``chunking`` says.
    """

    name: str
    settings: Settings
    system: str = "saem"
    cut: bool = False

    @property
    def vectors(self) -> bool:
        """Whether it needs passages' vectors."""
        return self.system == "saem" and needs_vectors(self.settings)

    def described(self) -> dict[str, str]:
        """What sets it apart: the settings that are no defaults, and its mode."""
        if self.system != "saem":
            return {"system": self.system}
        usual = Settings()
        shown = ("mode", *_SEARCH, *(("chunking",) if self.cut else ()))
        found = {
            f.name: without_secrets(str(getattr(self.settings, f.name)))
            for f in fields()
            if f.name in shown
            and (f.name == "mode" or getattr(self.settings, f.name) != getattr(usual, f.name))
        }
        return found | ({"chunk_tokens": str(self.settings.chunk_tokens)} if self.cut else {})


_SEARCH = ("encoder", "encoder_model", "fusion", "dense_weight", "k1", "b", "head_weight",
           "morpheme_weight", "fuzzy", "depth", "rerank",
           "rerank_depth", "rerank_weights", "rerank_model", "rerank_seconds", "diversity",
           "per_document", "neighbours", "boosts", "recency_field", "recency_days", "rewrite",
           "min_confidence", "vague_confidence", "program", "persona", "prompts", "examples",
           "shots", "shot_order", "samples", "max_steps", "llm", "llm_url", "llm_model",
           "entailment", "context_tokens", "answer_tokens", "total_tokens")  # fmt: skip
_CUTTING = ("chunk_tokens", "chunking")
_OWN = {"name", "system", "cut"}
_USERINFO = re.compile(r"(\w+://)[^/@\s]*@")
_PARAMETERS = re.compile(r"(\w+://[^\s?#'\"]+)[?#][^\s'\"]*")


def without_secrets(text: str) -> str:
    """``text`` without the passwords and parameters of its URLs."""
    return _PARAMETERS.sub(r"\1", _USERINFO.sub(r"\1", text))


def from_files(files: Sequence[Path], base: Settings, *, cut: bool) -> list[Configuration]:
    """A configuration for each settings file, named after it.

    Files rank above ``base``'s own file and environment, as what is compared is theirs; what they
    say of other matters than searching and answering does not count here.
    """
    found = []
    for file in files:
        if not file.is_file():
            raise ConfigError(f"there is no settings file {file}")
        values = _toml(file)
        base.with_values(values, str(file))  # all of it must make sense
        counts = {"mode", *_SEARCH, *(_CUTTING if cut else ())}
        values = {name: value for name, value in values.items() if name in counts}
        found.append(_configuration({"name": file.stem, "cut": cut, **values}, base, file))
    return _distinct(found)


def from_grid(grid: str, base: Settings, *, cut: bool) -> list[Configuration]:
    """The configurations of a named grid, or of a TOML file.

    The file has ``[[configuration]]`` tables (``name``, ``system``, ``cut``, settings), or a table
    ``[grid]`` of settings with lists of values, of which all combinations are made, or both.

    Raises
    ------
    ConfigError
    """
    if grid in GRIDS:
        with resources.as_file(resources.files("eval") / "grids" / f"{grid}.toml") as file:
            return _read(file, base, cut=cut)
    if not Path(grid).is_file():
        remedy = f"Take one of {', '.join(GRIDS)}, or name a TOML file"
        raise ConfigError(f"there is no grid '{grid}'", remedy=remedy)
    return _read(Path(grid), base, cut=cut)


def _read(file: Path, base: Settings, *, cut: bool) -> list[Configuration]:
    tables = _toml(file)
    if unknown := tables.keys() - {"configuration", "grid"}:
        raise ConfigError(f"{file}: a grid has no '{min(unknown)}'",
                          remedy="It has [[configuration]] tables or a [grid]")  # fmt: skip
    rows, grid = tables.get("configuration", []), tables.get("grid", {})
    if not (isinstance(grid, dict) and _tables(rows)):
        raise ConfigError(f"{file}: write [[configuration]] for each one, and [grid] once")
    rows = [{"cut": cut, **row} for row in rows]
    axes = {k: v if isinstance(v, list) else [v] for k, v in grid.items()}
    varied = [name for name, values in axes.items() if len(values) > 1]
    for point in itertools.product(*axes.values()) if axes else ():
        chosen = dict(zip(axes, point, strict=True))
        name = " ".join(f"{n}={chosen[n]}" for n in varied or axes)
        rows.append({"cut": cut, "name": name, **chosen})
    if not rows:
        raise ConfigError(f"{file} names no configuration")
    return _distinct([_configuration(row, base, file) for row in rows])


def _tables(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _configuration(row: Mapping[str, Any], base: Settings, file: Path) -> Configuration:
    values = {k: v for k, v in row.items() if k not in _OWN}
    system = str(row.get("system", "saem"))
    if system not in ("saem", *baselines.NAMES):
        known = ", ".join(("saem", *baselines.NAMES))
        raise ConfigError(f"{file}: there is no system '{system}'", remedy=f"Known are {known}")
    if "name" not in row:
        raise ConfigError(f"{file}: a [[configuration]] has no name")
    settings = base.with_values(values, str(file))
    if idle := values.keys() - {"mode", *_CUTTING, *_SEARCH}:
        raise ConfigError(f"{file}: '{min(idle)}' changes nothing that is measured",
                          remedy="Leave it out")  # fmt: skip
    if (name := next((n for n in _CUTTING if n in values), "")) and not row["cut"]:
        raise ConfigError(f"{file}: {name} counts only where documents are cut",
                          remedy="Add --cut, or cut = true")  # fmt: skip
    return Configuration(str(row["name"]), settings, system, bool(row["cut"]))


def _distinct(found: list[Configuration]) -> list[Configuration]:
    names = [c.name for c in found]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise ConfigError(f"two configurations are called '{twice}'")
    return found


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise ConfigError(f"{file} cannot be read: {e}") from e
