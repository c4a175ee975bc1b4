"""A language model as the judge of answers, by a rubric that is kept in a file.

What is judged is data: it is put between tags that it cannot close, the rubric says so, and of a
reply nothing counts but a score in the form asked for. Knows neither collections nor data sets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.formats.lines import Skipped, records
from eval.rubric import Rubric
from rag.analysis import detect
from rag.answer.llm import LLM
from rag.errors import DependencyMissing, LLMUnavailable, SourceError
from rag.types import Message

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A```(?:json)?\n(.*)\n```\Z", re.DOTALL)
_LINE = re.compile(r"^(?:score|점수)\s*[:：]\s*(\d+(?:\.\d+)?)$", re.MULTILINE | re.IGNORECASE)
_MAX_TOKENS = 1024
_WINNER = {0: 0, 1: 1, 2: -1}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A score from 0 to 1, and why."""

    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often a judge says what people said.

    Attributes
    ----------
    accuracy
        Share of the judged items with the people's label.
    kappa
        Cohen's (1960), agreement beyond chance: 1 is perfect, 0 no better than chance.
    n
        Items judged.
    unusable
        Further items for which the judge gave no readable reply.
    """

    accuracy: float
    kappa: float
    n: int
    unusable: int


class Judge:
    """Asks ``llm`` by ``rubric``.

    Attributes
    ----------
    unusable
        How many questions had no readable reply, at the second try either.
    inconsistent
        How many pairs were judged otherwise once their places were swapped.
    """

    def __init__(self, llm: LLM, rubric: Rubric) -> None:
        self.llm = llm
        self.rubric = rubric
        self.unusable = 0
        self.inconsistent = 0

    def pointwise(
        self, question: str, answer: str, reference: str = "", passages: Sequence[str] = ()
    ) -> Verdict | None:
        """How good ``answer`` is; ``None`` if the model gives no readable reply.

        Parameters
        ----------
        reference
            A right answer, if one is known.
        passages
            What the answer rests on, as it numbers them from 1.

        Raises
        ------
        LLMUnavailable, LLMTimeout, BadQuery
            As ``LLM.stream``.
        """
        low, high = self.rubric.scale
        text = self.rubric.fill("pointwise", detect(question), question=question, answer=answer,
                                reference=reference, passages=_numbered(passages))  # fmt: skip
        found = self._ask(text, detect(question), low, high)
        return found and Verdict((found.score - low) / (high - low), found.reason)

    def pairwise(
        self,
        question: str,
        first: str,
        second: str,
        reference: str = "",
        passages: Sequence[str] = (),
    ) -> int | None:
        """1 if ``first`` is better, -1 if ``second`` is, 0 if neither.

        Asked twice, in both orders; a preference that changes with the order is none. ``None`` if
        one of the replies cannot be read.

        Raises
        ------
        LLMUnavailable, LLMTimeout, BadQuery
        """
        language = detect(question)
        known = {"question": question, "reference": reference, "passages": _numbered(passages)}
        winners = []
        for one, other in ((first, second), (second, first)):
            text = self.rubric.fill("pairwise", language, first=one, second=other, **known)
            found = self._ask(text, language, 0, 2, whole=True)
            if found is None:
                return None
            winners.append(_WINNER[int(found.score)])
        if winners[0] != -winners[1]:
            self.inconsistent += 1
            return 0
        return winners[0]

    def supports(self, premise: str, claim: str) -> bool:
        """Whether ``premise`` bears out ``claim``.

        Raises
        ------
        LLMUnavailable
            Also if the model gives no readable reply.
        LLMTimeout, BadQuery
        """
        language = detect(claim)
        text = self.rubric.fill("support", language, premise=premise, claim=claim)
        found = self._ask(text, language, 0, 1, whole=True)
        if found is None:
            raise LLMUnavailable(self.llm.endpoint, "it judged in a form that cannot be read")
        return found.score == 1

    def _ask(
        self, text: str, language: str, low: float, high: float, *, whole: bool = False
    ) -> Verdict | None:
        """The reply's score as it stands, ``low`` to ``high``; asked again once."""
        messages = [Message("user", text)]
        for _ in range(2):
            reply = "".join(self.llm.stream(messages, max_tokens=_MAX_TOKENS))
            found = _read(reply)
            if found and low <= found.score <= high and not (whole and found.score % 1):
                return found
            reminder = self.rubric.fill("reminder", language)
            messages = [*messages, Message("assistant", reply.strip() or "-"),
                        Message("user", reminder)]  # fmt: skip
        self.unusable += 1
        return None


def agreement(judge: Judge, labelled: Path) -> Agreement:
    """How well ``judge`` agrees with a labelled sample.

    Parameters
    ----------
    labelled
        A JSONL file. Its lines have either ``question``, ``answer`` and a ``label`` from 0 to 1,
        or ``question``, ``first``, ``second`` and a ``label`` of 1 (the first is better), -1 or
        0; either may have ``reference`` and ``passages``. A score counts as the nearest of the
        labels that occur, the lower of two.

    Raises
    ------
    SourceError
        The file makes no sense, or all that could be judged has the same label.
    LLMUnavailable, LLMTimeout, BadQuery
        The judge failed.
    DependencyMissing
    """
    items = [*_labelled(labelled)]
    levels = sorted({label for label, _ in items})
    said: list[int] = []
    meant: list[int] = []
    for label, texts in items:
        score: float | None
        if "answer" in texts:
            verdict = judge.pointwise(**texts)
            score = verdict.score if verdict else None
        else:
            score = judge.pairwise(**texts)
        if score is not None:
            said.append(_nearest(levels, score))
            meant.append(levels.index(label))
    if len(set(meant)) < 2:
        raise SourceError(str(labelled), "has not two different labels among what could be judged",
                          remedy="Agreement needs good and bad examples")  # fmt: skip
    try:
        from sklearn.metrics import cohen_kappa_score
    except ImportError as e:
        raise DependencyMissing("scikit-learn", "eval") from e
    same = sum(a == b for a, b in zip(said, meant, strict=True))
    kappa = float(cohen_kappa_score(meant, said))
    return Agreement(same / len(said), kappa, len(said), len(items) - len(said))


def _nearest(levels: Sequence[float], score: float) -> int:
    return min(range(len(levels)), key=lambda i: (abs(levels[i] - score), i))


def _labelled(file: Path) -> list[tuple[float, dict[str, Any]]]:
    """Label and texts of each line."""
    skipped = Skipped(file)
    items: list[tuple[float, dict[str, Any]]] = []
    for line, record in records(file, skipped):
        kind = {"first", "second"} if "first" in record else {"answer"}
        if items and not kind <= items[0][1].keys():
            raise SourceError(str(file), "mixes answers and pairs", line,
                              remedy="Keep them in files of their own")  # fmt: skip
        items.append(_item(file, line, record, kind))
    if skipped.count:
        raise SourceError(str(file), skipped.why, skipped.line)
    return items


def _item(
    file: Path, line: int, record: Mapping[str, Any], kind: set[str]
) -> tuple[float, dict[str, Any]]:
    for name in sorted({"question", *kind}):
        if not isinstance(record.get(name), str):
            raise SourceError(str(file), f"'{name}' must be text", line)
    passages = record.get("passages", [])
    if not isinstance(passages, list) or not all(isinstance(p, str) for p in passages):
        raise SourceError(str(file), "'passages' must be a list of texts", line)
    label: Any = record.get("label")
    number = isinstance(label, int | float) and not isinstance(label, bool)
    if not number or not (label in (-1, 0, 1) if "first" in kind else 0 <= label <= 1):
        wanted = "1, 0 or -1" if "first" in kind else "a number from 0 to 1"
        raise SourceError(str(file), f"'label' must be {wanted}, not {label!r}", line)
    texts = {name: record[name] for name in ("question", *kind)}
    return float(label), texts | {"reference": str(record.get("reference", "")),
                                  "passages": passages}  # fmt: skip


def _read(reply: str) -> Verdict | None:
    """The score of a reply that is a JSON object, or ends in ``Score: n``, said once."""
    reply = _THOUGHT.sub("", reply).strip()
    if fenced := _FENCED.match(reply):
        reply = fenced[1]
    try:
        found = json.loads(reply)
    except (ValueError, RecursionError):
        last = _LINE.search(reply, reply.rfind("\n") + 1)
        return Verdict(float(last[1]), reply) if last and len(_LINE.findall(reply)) == 1 else None
    score = found.get("score") if isinstance(found, dict) else None
    if isinstance(score, bool) or not isinstance(score, int | float):
        return None
    return Verdict(score, str(found.get("reason", "")))


def _numbered(passages: Sequence[str]) -> str:
    return "\n\n".join(f"[{n}] {text}" for n, text in enumerate(passages, 1))
