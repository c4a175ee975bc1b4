"""What a question asks of the postings: what adds to a score, and which passages it binds to.

Resolved against the terms that passages have now: a prefix becomes those that begin so, a term that
none has gives way to similar ones. Knows neither scoring formulas nor the catalogue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rag.index import fuzzy
from rag.index.clauses import Clause, Query
from rag.index.postings import Mask, utf8
from rag.index.sparse import Placed, Shard, Sparse

FAMILY = 50
"""Terms that a prefix stands for, at most: the most frequent."""
SIMILAR = 3
"""Terms that stand for one that no passage has, at most."""
SHARE = {1: 0.8, 2: 0.6}
"""What these weigh, by their distance to it, as a share of their own weight."""
SLIPS = 8
"""With more unknown terms none gives way: that is another language, or a log. Each takes 18 ms in
1.2 million terms."""
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Matched:
    """A question, resolved.

    Attributes
    ----------
    terms
        Terms that score, and how often the question has each, by what they weigh.
    phrases
        Phrases that score, each as much as its terms together.
    families
        Terms that a prefix, or a word of several languages, stands for, the most frequent first,
        after which all are weighted.
    bindings
        Clauses that a passage must meet.
    corrected
        Terms that no passage has, and those that score in their place.
    """

    terms: Mapping[str, float]
    phrases: tuple[Placed, ...] = ()
    families: tuple[tuple[str, ...], ...] = ()
    bindings: tuple[Clause, ...] = ()
    corrected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """All terms that are looked for, each once."""
        placed = (term for phrase in self.phrases for term, _ in phrase)
        family = (term for terms in self.families for term in terms)
        return list(dict.fromkeys((*self.terms, *placed, *family)))


def resolve(query: Query, sparse: Sparse, *, tolerant: bool) -> Matched:
    """What ``query`` asks; ``tolerant``: similar terms for those that no living passage has.

    A phrase that no passage has, and that need not be there, counts as its words.
    """
    free: Counter[str] = Counter(query.terms)
    bound: list[str] = []
    phrases: list[Placed] = []
    families: list[tuple[str, ...]] = []
    dfs = _dfs((term for choice in query.choices for term in choice), sparse)
    for choice in query.choices:
        living = tuple(term for term, _ in _present({term: dfs[term] for term in choice}))
        if len(living) > 1:
            families.append(living)
        else:
            free.update(living or choice[:1])
    for clause in query.clauses:
        if clause.occur == "must_not":
            continue
        if clause.kind == "prefix":
            families += filter(None, [_family(clause, sparse)])
        elif clause.kind == "term":
            bound += [term for reading in clause.readings for term, _ in reading]
        elif occurring := [reading for reading in clause.readings if _occurs(reading, sparse)]:
            phrases += occurring
        elif clause.occur == "must":
            phrases.append(clause.terms)
        else:
            free.update(term for term, _ in clause.terms)
    times = {term: count * query.weights.get(term, 1.0) for term, count in free.items()}
    terms, corrected = _known(times, sparse) if tolerant else (times, {})
    for term in bound:
        terms[term] = terms.get(term, 0.0) + 1
    bindings = tuple(clause for clause in query.clauses if clause.occur != "should")
    return Matched(terms, tuple(phrases), tuple(families), bindings, corrected)


def allowed(bindings: Sequence[Clause], sparse: Sparse) -> list[Mask]:
    """Which passages of each part, the dead included, meet all of ``bindings``."""
    masks = []
    for part in sparse.parts:
        mask = np.ones(len(part.alive), np.bool_)
        for clause in bindings:
            has = _having(clause, part.shard)
            mask &= has if clause.occur == "must" else ~has
        masks.append(mask)
    return masks


def _having(clause: Clause, shard: Shard) -> Mask:
    mask = np.zeros(len(shard.postings), np.bool_)
    if clause.kind == "phrase":
        for reading in clause.readings:
            mask[shard.phrase(reading)[0]] = True
        return mask
    p = shard.postings
    for span in _spans(clause, shard):
        mask[p.docs[int(p.ptr[span.start]) : int(p.ptr[span.stop])]] = True
    return mask


def _spans(clause: Clause, shard: Shard) -> Iterator[range]:
    """Numbers of the terms that ``clause`` means."""
    words = shard.postings.vocabulary
    if clause.kind == "prefix":
        for prefix in clause.prefixes:
            yield fuzzy.prefixed(words.block, words.ends, utf8(prefix))
    else:
        for term in [term for reading in clause.readings for term, _ in reading]:
            if (number := words.find(term)) is not None:
                yield range(number, number + 1)


def _occurs(placed: Placed, sparse: Sparse) -> bool:
    return any(part.alive[part.shard.phrase(placed)[0]].any() for part in sparse.parts)


def _family(clause: Clause, sparse: Sparse) -> tuple[str, ...]:
    """The most frequent terms that begin as ``clause`` says."""
    found = {
        _text(part.shard, number)
        for part in sparse.parts
        for span in _spans(clause, part.shard)
        for number in span
    }
    return tuple(term for term, _ in _living(found, sparse)[:FAMILY])


def _known(
    free: Mapping[str, float], sparse: Sparse
) -> tuple[dict[str, float], dict[str, tuple[str, ...]]]:
    """``free`` with similar terms for the unknown, and which these are."""
    terms = dict(free)
    corrected: dict[str, tuple[str, ...]] = {}
    unknown = [term for term, df in _dfs(free, sparse).items() if df == 0 and fuzzy.reach(term)]
    for term in unknown if len(unknown) <= SLIPS else ():
        if near := _similar(term, sparse):
            times = terms.pop(term)
            corrected[term] = tuple(near)
            for other, share in near.items():
                terms[other] = terms.get(other, 0.0) + times * share
    return terms, corrected


def _similar(term: str, sparse: Sparse) -> dict[str, float]:
    """What stands for ``term``, and the share of its weight that each has.

    The nearest, of them the most frequent; with another first character where none has the same.
    """
    distance = fuzzy.reach(term)
    for anywhere in (False, True) if distance else ():
        near: dict[str, int] = {}
        for part in sparse.parts:
            words = part.shard.postings.vocabulary
            for i, d in fuzzy.similar(
                words.block, words.ends, term, distance, _LOOKED_AT, anywhere=anywhere
            ):
                near[_text(part.shard, i)] = d
        if living := _living(near, sparse):
            best = sorted(living, key=lambda x: near[x[0]])[:SIMILAR]
            return {other: SHARE[near[other]] for other, _ in best}
    return {}


def _living(terms: Iterable[str], sparse: Sparse) -> list[tuple[str, int]]:
    """Those of ``terms`` that living passages have, and how many do, the most frequent first."""
    return _present(_dfs(terms, sparse))


def _present(dfs: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted((pair for pair in dfs.items() if pair[1]), key=lambda x: (-x[1], x[0]))


def _dfs(terms: Iterable[str], sparse: Sparse) -> dict[str, int]:
    """How many living passages have each of ``terms``."""
    words = list(dict.fromkeys(terms))
    return dict(zip(words, sparse.dfs(words), strict=True))


def _text(shard: Shard, number: int) -> str:
    term: bytes = shard.postings.vocabulary[number]
    return term.decode("utf-8", "surrogatepass")
