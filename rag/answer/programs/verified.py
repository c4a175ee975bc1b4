"""A draft whose every sentence is checked, after chain-of-verification (Dhuliawala et al., 2023).

A sentence stays if the model says that the passages it cites bear it out, and they have its
numbers. One that fails is written again from what a search for it finds, and left out if that
fails too. Code is not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from rag.analysis import sentences
from rag.answer.evidence import Evidence
from rag.answer.lenient import cited, json_object, line, plain
from rag.answer.quantities import quantities
from rag.answer.refusal import is_refusal
from rag.answer.task import Task
from rag.answer.trail import Trail
from rag.types import Step

_NAME = "verified"
_BRIEF = 120
_VERDICT = 30
_MOST = 12
"""Sentences that are checked; further ones are left out."""
_LATE = re.compile(r"([.!?。？！]{1,3})[ \t]?((?:\[\s?\d[\d,\s]{0,40}\][ \t]?){1,9})")
"""Markers that follow a sentence's end."""
_CODE = "```"
_SCHEMA = {
    "type": "object",
    "properties": {"supported": {"type": "boolean"}},
    "required": ["supported"],
    "additionalProperties": False,
}


def run(task: Task) -> Iterator[Step | str]:
    trail = Trail(task, _NAME)
    trail.read = task.read(task.hits, _NAME)
    draft = task.ask(task.messages(_NAME, passages=trail.read, history=True))
    yield Step("answer", draft)
    if is_refusal(draft) or _CODE in draft:
        yield draft
        return
    draft = _LATE.sub(lambda m: f" {m[2].strip()}{m[1]} ", draft)
    kept: list[str] = []
    end = 0
    for start, stop in [*sentences(draft)][:_MOST]:
        stands = yield from _checked(trail, draft[start:stop])
        if stands:
            kept += [draft[end:start], stands]
        end = stop
    yield "".join(kept).strip()


def _checked(trail: Trail, claim: str) -> Generator[Step, None, str]:
    """The sentence, if it stands, or what could be made of it; empty if nothing could."""
    if _stands(trail, claim):
        yield Step("check", trail.said("stands", claim=claim))
        return claim
    yield Step("check", trail.said("fails", claim=claim))
    revised = _revised(trail, claim)
    if revised and _stands(trail, revised):
        yield Step("check", trail.said("revised", claim=revised))
        return revised
    yield Step("check", trail.said("dropped", claim=claim))
    return ""


def _revised(trail: Trail, claim: str) -> str:
    task = trail.task
    said = line(plain(claim))
    numbers = trail.search(said, "revise", claim=said)
    if not numbers:
        return ""
    messages = task.messages(_NAME, "revise", passages=numbers, claim=said)
    revised = _LATE.sub(r" \2\1", line(task.ask(messages, max_tokens=_BRIEF)))
    return "" if is_refusal(revised) else revised


def _stands(trail: Trail, claim: str) -> bool:
    """Whether the passages that ``claim`` cites, or the one most like it, bear it out."""
    task = trail.task
    said = line(plain(claim))
    known = task.passages.hits
    support = Evidence(known).support(said)
    cites = [n for n in cited(claim) if 1 <= n <= len(known)]
    cites = cites or ([support.n] if support else [])
    has = [q for n in cites for q in quantities(known[n - 1].chunk.context)]
    if not cites or not all(any(q.same(one) for one in has) for q in quantities(said)):
        return False
    numbers = task.read([known[n - 1] for n in cites], _NAME, "check", claim=said)
    messages = task.messages(_NAME, "check", passages=numbers, claim=said)
    reply = task.ask(messages, max_tokens=_VERDICT, schema=_SCHEMA)
    verdict = (json_object(reply) or {}).get("supported")
    return verdict if isinstance(verdict, bool) else support is not None and support.n in cites
