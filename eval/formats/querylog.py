"""The service's query log: JSONL of questions asked and of thumbs given to what came back.

A place is ``path@start-end`` of a hit, in the document as it stood when the question was asked. A
thumb up makes a hit relevant, and one for a whole answer the hits that it cites; one for a hit
weighs more than one for the answer. A thumb up for a refusal says that the documents hold no
answer. Does not know whether the documents have changed since.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.dataset import Dataset, Query
from eval.formats.lines import Skipped, labelled, name_of, records
from rag.types import encodable

_REMEDY = "Only questions with a thumb up are of use: give some in the page or by the API"
_REQUIRED = {"id": str, "question": str, "kind": str, "collection": str, "hits": list}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question once asked, its hits' places and those that its answer cites."""

    id: str
    text: str
    kind: str
    collection: str
    places: tuple[str, ...]
    cited: tuple[str, ...]
    abstained: bool


@dataclass(frozen=True, slots=True)
class _Vote:
    line: int
    query: str
    value: int
    hit: int | None


def read(file: Path) -> Dataset:
    """The questions with a thumb up, without documents; equal ones are joined.

    Raises
    ------
    SourceError
        It cannot be read, or no question has a thumb up.
    """
    skipped = Skipped(file)
    asked, votes = _parsed(file, skipped)
    questions: dict[tuple[str, str], list[_Asked]] = {}
    for one in asked.values():
        questions.setdefault((one.collection, one.text), []).append(one)
    queries = []
    for same in questions.values():
        relevant, refused = _judged(same, votes)
        if refused or any(relevant.values()):
            first = same[0]
            labels = {"kind": first.kind, "collection": first.collection}
            queries.append(
                Query(
                    first.id,
                    first.text,
                    relevant,
                    answerable=not refused,
                    labels=labelled(first.text, labels),
                )
            )
    if not queries:
        raise skipped.error("question with a thumb up", _REMEDY)
    warnings = skipped.warnings()
    if left := len(questions) - len(queries):
        warnings += (f"{file}: {left} of {len(questions)} questions have no thumb up",)
    collections = Counter(query.labels["collection"] for query in queries)
    if len(collections) > 1:
        shares = ", ".join(f"{name} ({n})" for name, n in collections.items())
        warnings += (f"{file}: the questions went to several collections: {shares}",)
    return Dataset(name_of(file), tuple(queries), warnings=warnings)


def _judged(same: list[_Asked], votes: dict[str, list[_Vote]]) -> tuple[dict[str, int], bool]:
    """Grade of each place, and whether the question was rightly refused."""
    last = [(vote, one) for one in same for vote in votes.get(one.id, ())]
    last.sort(key=lambda pair: (pair[0].hit is not None, pair[0].line))
    grades: dict[str, int] = {}
    refused = False
    for vote, one in last:
        if vote.hit is not None:
            grades[one.places[vote.hit]] = int(vote.value > 0)
        elif vote.value > 0:
            grades |= dict.fromkeys(one.cited, 1)
            refused |= one.abstained
    return grades, refused and not any(grades.values())


def _parsed(file: Path, skipped: Skipped) -> tuple[dict[str, _Asked], dict[str, list[_Vote]]]:
    """Each question by its id, and to each id its votes, the last one on each thing."""
    asked: dict[str, _Asked] = {}
    votes: dict[tuple[str, int | None], _Vote] = {}
    for line, record in records(file, skipped):
        try:
            if record.get("type") == "vote":
                vote = _vote(line, record)
                votes[vote.query, vote.hit] = vote
            elif record.get("type") == "query":
                one = _asked(record)
                asked[one.id] = one
            else:
                skipped.add(line, "is neither of type query nor of type vote")
        except ValueError as e:
            skipped.add(line, str(e))
    known: dict[str, list[_Vote]] = {}
    for vote in votes.values():
        if vote.query not in asked:
            skipped.add(vote.line, f"is a vote on the query {vote.query}, which is not in the log")
        elif vote.hit is not None and vote.hit >= len(asked[vote.query].places):
            skipped.add(vote.line, f"is a vote on hit {vote.hit}, which the query does not have")
        elif vote.value:  # 0 takes an earlier one back
            known.setdefault(vote.query, []).append(vote)
    return asked, known


def _asked(record: dict[str, Any]) -> _Asked:
    for name, kind in _REQUIRED.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(f"is a query without a usable '{name}'")
    text = " ".join(encodable(record["question"]).split())
    if not text:
        raise ValueError("is a query without a usable 'question'")
    try:
        places = tuple(f"{h['path']}@{h['start']:d}-{h['end']:d}" for h in record["hits"])
        numbers = record.get("cited") or ()
        if any(i < 0 for i in numbers):
            raise IndexError
        cited = tuple(places[i] for i in numbers)
    except (KeyError, TypeError, ValueError, IndexError):
        raise ValueError("has 'hits' or 'cited' that make no sense") from None
    return _Asked(
        record["id"],
        text,
        record["kind"],
        record["collection"],
        tuple(encodable(place) for place in places),
        tuple(encodable(place) for place in cited),
        record.get("abstained") is True,
    )


def _vote(line: int, record: dict[str, Any]) -> _Vote:
    query, vote, hit = record.get("id"), record.get("vote"), record.get("hit")
    if not isinstance(query, str) or vote not in (1, 0, -1):
        raise ValueError("is a vote without 'id' or with a 'vote' that is none of 1, 0 and -1")
    if hit is not None and (type(hit) is not int or hit < 0):
        raise ValueError("is a vote with a 'hit' that is no number of a hit")
    return _Vote(line, query, vote, hit)
