"""Jupyter notebooks: prose, code and what it printed. Runs nothing, shows no pictures."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.readers.building import Builder
from indexer.readers.decode import clean
from indexer.readers.json import load
from indexer.readers.markdown import read_markdown
from indexer.readers.parsed import Parsed, Raw
from rag.errors import SourceError

_PRINTED = 2_000  # characters of an output that are kept


def read_notebook(raw: Raw) -> Parsed:
    """Cells in order: Markdown as such, code and the text that it printed as code.

    Raises
    ------
    SourceError
        It is no notebook.
    """
    builder = Builder()
    for cell in _cells(load(raw.text, raw.path), raw.path):
        kind, source = cell.get("cell_type"), _joined(cell.get("source", cell.get("input")))
        if kind == "markdown" and source:
            builder.include(read_markdown(Raw(source.encode(), raw.path)))
        elif kind == "heading":  # of notebooks before version 4
            level = cell.get("level")
            builder.heading(
                source, int(level) if isinstance(level, str) and level.isdecimal() else 1
            )
        elif kind == "code":
            builder.code(source)
            for printed in _outputs(cell):
                builder.code(printed if len(printed) <= _PRINTED else f"{printed[:_PRINTED]} …")
        else:
            builder.paragraph(source)
    return builder.parsed()


def _cells(found: object, path: str) -> list[dict[str, object]]:
    sheets = found.get("worksheets") if isinstance(found, dict) else None
    holders = sheets if isinstance(sheets, list) else [found]
    cells: list[dict[str, object]] = []
    for holder in holders:
        inside = holder.get("cells") if isinstance(holder, dict) else None
        if not isinstance(inside, list):
            raise SourceError(
                path, "is no Jupyter notebook: it has no cells", remedy="Save it anew"
            )
        cells += [cell for cell in inside if isinstance(cell, dict)]
    return cells


def _outputs(cell: dict[str, object]) -> Iterator[str]:
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data", output)
        plain = data.get("text/plain") if isinstance(data, dict) else None
        if output.get("ename"):
            yield f"{output['ename']}: {output.get('evalue', '')}"
        else:
            yield _joined(output.get("text") or plain)


def _joined(source: object) -> str:
    """Notebooks keep texts whole or as a list of lines."""
    if isinstance(source, list):
        return clean("".join(part for part in source if isinstance(part, str)))
    return clean(source) if isinstance(source, str) else ""
