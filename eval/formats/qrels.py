"""Judgements: tab-separated ``query document grade``, or TREC's four columns."""

from __future__ import annotations

from pathlib import Path

from eval.formats.lines import Skipped, lines

_LARGEST = 1000
Judged = dict[str, dict[str, int]]
"""Query to place to grade."""


def read(file: Path) -> tuple[Judged, tuple[str, ...]]:
    """The judgements of a file and warnings; a header line is passed over.

    Raises
    ------
    SourceError
        There are lines, and none is a judgement.
    """
    skipped = Skipped(file)
    judged: Judged = {}
    for number, line in lines(file, skipped):
        columns = line.split("\t") if "\t" in line else line.split()
        if len(columns) not in (3, 4):
            skipped.add(number, f"has {len(columns)} columns, not 3 or 4")
            continue
        query, place, grade = columns[0], columns[-2], _grade(columns[-1])
        if grade is None:
            if number > 1:
                skipped.add(number, f"has the grade '{columns[-1]}', which is no grade")
        elif not (query and place):
            skipped.add(number, "names no query or no document")
        elif judged.setdefault(query, {}).setdefault(place, grade) != grade:
            skipped.add(number, f"grades {place} for query {query} again, and otherwise")
    if skipped.count and not judged:
        raise skipped.error("judgements", "A line is query, document and grade, parted by tabs")
    return judged, skipped.warnings()


def _grade(text: str) -> int | None:
    try:
        grade = int(text)
    except ValueError:
        return None
    return grade if abs(grade) <= _LARGEST else None
