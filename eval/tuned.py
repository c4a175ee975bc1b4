"""What a tuning found, shown and as a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from eval.files import write_text
from eval.tuning import Part, Tuning
from rag.errors import ConfigError

_SURE = 0.05
_FIRST = "# Found by `rag tune`"


def write(tuning: Tuning, file: Path) -> None:
    """The settings that won as a settings file, with their provenance as a comment."""
    check(file)
    lines = [f"# {name}: {value}" for name, value in tuning.provenance.items()]
    lines += [f"{name} = {_toml(value)}" for name, value in tuning.settings.items()]
    write_text(file, "\n".join([_FIRST, *lines, ""]))


def check(file: Path) -> None:
    """Refuse to write over a file that is not of this making.

    Raises
    ------
    ConfigError
    """
    try:
        ours = file.read_text("utf-8").startswith(_FIRST) if file.exists() else True
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise ConfigError(f"{file} exists and was not written by `rag tune`",
                          remedy="Name another file with --out")  # fmt: skip


def show(tuning: Tuning, console: Console) -> None:
    """The figures of each part, the settings, and what they are worth."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for head in (tuning.measure, "queries", "before", "after", "difference", "p"):
        table.add_column(head, justify="left" if head == tuning.measure else "right")
    parts = {"chosen on": tuning.chosen_on, "held out": tuning.held_out, "test": tuning.test}
    for name, part in parts.items():
        if part:
            table.add_row(name, *_row(part))
    console.print(table)
    if (t := tuning.threshold) is not None:
        console.print(
            f"min_confidence {t.before:g} -> {t.after:g}: balanced accuracy on the held-out part "
            f"{t.accuracy_before:.3f} -> {t.accuracy_after:.3f}"
        )
    for name, value in tuning.tried.items():
        console.print(f"  {name} = {_toml(value)}", markup=False)
    console.print(_verdict(tuning))


def _row(part: Part) -> tuple[str, ...]:
    d = part.comparison.difference
    return (
        f"{part.queries:,}",
        f"{part.before.mean:.4f}",
        f"{part.after.mean:.4f}",
        f"{d.mean:+.4f} [{d.low:+.4f}, {d.high:+.4f}]",
        f"{part.comparison.p:.3f}",
    )


def _verdict(tuning: Tuning) -> str:
    if not tuning.tried:
        return "Nothing else beats the present settings on the part that was chosen on."
    if not tuning.settings.keys() & tuning.tried.keys():
        return "These do not win on the held-out part and are not kept."
    if tuning.held_out.comparison.p < _SURE:
        return "These win on the held-out part."
    return "These win on the held-out part, but chance may explain that much."


def _toml(value: Any) -> str:  # noqa: ANN401
    return f'"{value}"' if isinstance(value, str) else str(value)
