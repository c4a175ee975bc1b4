"""From settings to a reranker. Knows each kind's needs, and loads no model yet."""

from __future__ import annotations

from importlib.util import find_spec

from rag.encode import Encoder, load_encoder
from rag.encode.device import pick
from rag.encode.hub import model_folder
from rag.encode.token_vectors import TokenEncoder
from rag.errors import ConfigError, DependencyMissing
from rag.search.ask import Ask
from rag.search.rerankers.base import Reranker
from rag.search.rerankers.cross_encoder import CrossEncoder
from rag.search.rerankers.late import Late
from rag.search.rerankers.listwise import Listwise
from rag.settings import Settings


def load_reranker(settings: Settings, encoder: Encoder | None, ask: Ask | None) -> Reranker | None:
    """The model that ``settings.rerank`` names; ``None`` where that names none.

    Parameters
    ----------
    encoder
        The collection's. ``late`` takes its token vectors, unless ``rerank_model`` names another.
    ask
        Asks the language model, for ``listwise``.

    Raises
    ------
    ConfigError
        What it needs is not set.
    ModelMissing
        The model is not on this machine. Nothing is fetched here.
    DependencyMissing
        The model needs the packages of an extra.
    """
    kind = settings.rerank
    if kind == "cross-encoder":
        return _cross_encoder(settings)
    if kind == "late":
        return _late(settings, encoder)
    if kind == "listwise":
        if ask is None:
            raise ConfigError(
                "rerank = listwise needs a language model",
                remedy="Set llm or llm_url, or another rerank",
            )
        return Listwise(ask)
    return None


def _cross_encoder(settings: Settings) -> Reranker:
    if not settings.rerank_model:
        raise ConfigError(
            "rerank = cross-encoder needs a model",
            remedy="Set rerank_model to a folder or hub id, BAAI/bge-reranker-v2-m3 say",
        )
    if not find_spec("sentence_transformers"):
        raise DependencyMissing("sentence-transformers", "torch")
    folder = model_folder(settings.rerank_model, "rerank_model")
    return CrossEncoder(folder, pick(settings.device))


def _late(settings: Settings, encoder: Encoder | None) -> Reranker:
    if settings.rerank_model:
        encoder = load_encoder(settings.replace(encoder=settings.rerank_model), settings.device)
    if not isinstance(encoder, TokenEncoder):
        name = f"the encoder '{encoder.name}' has none" if encoder else "there is no encoder"
        raise ConfigError(
            f"rerank = late needs vectors of tokens, and {name}",
            remedy="Set rerank_model to a sentence-transformers model, or use the default encoder",
        )
    return Late(encoder)
