"""What a question becomes before it is searched for; each way is optional, and off by default.

A way that fails leaves the question as it is and says why. Knows no index but through ``Lexicon``,
and no language model but through ``Ask``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from rag.errors import RagError
from rag.search.ask import Ask
from rag.search.rewrite.condense import condense
from rag.search.rewrite.decompose import decompose
from rag.search.rewrite.hyde import hyde
from rag.search.rewrite.join import join
from rag.search.rewrite.lexicon import Lexicon
from rag.search.rewrite.multi import multi
from rag.search.rewrite.repair import repair
from rag.search.rewrite.rewriting import Rewrite, standing
from rag.search.rewrite.translate import translate
from rag.settings import Rewriting
from rag.types import Message

__all__ = ["KINDS", "Lexicon", "Rewrite", "join", "rewrite", "standing"]

KINDS: tuple[Rewriting, ...] = ("condense", "repair", "multi", "hyde", "decompose", "translate")
"""In the order in which they are done: each sees the question as those before left it."""
_BESIDE: dict[Rewriting, Callable[[str, Ask], Rewrite]] = {
    "multi": multi, "hyde": hyde, "decompose": decompose, "translate": translate,
}  # fmt: skip


def rewrite(
    kinds: Collection[Rewriting],
    question: str,
    history: Sequence[Message] = (),
    ask: Ask | None = None,
    lexicon: Lexicon | None = None,
) -> tuple[Rewrite, ...]:
    """What each of ``kinds`` makes of ``question``, in the order of ``KINDS``.

    Once the model has failed it is not asked again.
    """
    done: list[Rewrite] = []
    failed = "" if ask else "no language model is set"
    for kind in KINDS:
        if kind not in kinds or (kind == "condense" and not history):
            continue
        now = standing(question, done)
        if kind == "repair":
            done.append(repair(now, lexicon) if lexicon else Rewrite(kind))
        elif failed or ask is None:
            done.append(Rewrite(kind, warning=failed))
        else:
            try:
                made = (
                    condense(now, history, ask) if kind == "condense" else _BESIDE[kind](now, ask)
                )
                done.append(made)
            except RagError as e:
                failed = str(e)
                done.append(Rewrite(kind, warning=failed))
    return tuple(done)
