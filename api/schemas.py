"""Wire schemas: what the routes take and give, for validation and the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from rag.types import encodable

ModeName = Literal["bm25", "tfidf", "dense", "hybrid"]


def _cleaned(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without halves of surrogate pairs, in texts and in keys."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {_cleaned(key): item for key, item in value.items()}
    return value


def _filter(value: Any) -> Any:  # noqa: ANN401
    """The same, cleaned.

    Raises
    ------
    ValueError
        It is no filter; by itself pydantic would name each of the types that one can have.
    """
    listed = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if value is not None and not listed and not isinstance(value, str | dict):
        raise ValueError("give an expression, a list of them, or an object of fields and values")
    return [encodable(one) for one in value] if listed else _cleaned(value)


Text = Annotated[str, BeforeValidator(_cleaned)]
FilterJson = Annotated[
    str | dict[str, Any] | list[str] | None,
    BeforeValidator(_filter),
    Field(
        description="An expression, `lang:ko AND year>=2024 AND path:guide/**`; or field to value "
        'or values, `{"path": "guide/**"}`.'
    ),
]


class Query(BaseModel):
    top_k: int | None = Field(None, ge=1, le=1000)
    mode: ModeName | None = None
    filter: FilterJson = None
    collection: Text | None = Field(None, description="The default collection when left out.")


class SearchRequest(Query):
    query: Text
    facets: list[Text] = Field(
        [], max_length=20, description="Fields whose values are counted; `path` is the folder."
    )


class AskRequest(Query):
    question: Text
    program: Text = Field("", description="The prompt program; the setting's when left out.")
    persona: Text = Field("", description="How the model is to speak; the setting's by default.")


class HitJson(BaseModel):
    rank: int
    score: float
    document: str
    version: str
    path: str
    title: str
    heading: list[str]
    start: int
    end: int
    text: str
    scores: dict[str, float]
    matches: list[list[int]] = Field(
        description="Character spans of `text` that the query matched."
    )


class FacetJson(BaseModel):
    value: str
    count: int


class SearchResponse(BaseModel):
    query: str
    mode: ModeName
    took_ms: float
    cached: bool = Field(description="The result of the same search before, still right.")
    rewritten: dict[str, list[str]] = Field(
        description="What else was searched for, by way of rewriting."
    )
    hits: list[HitJson]
    facets: dict[str, list[FacetJson]] = Field(
        description="Documents by value of each field asked for, of all that was ranked."
    )
    warnings: list[str]


class CitationJson(BaseModel):
    n: int
    document: str
    version: str
    path: str
    line: int
    start: int
    end: int
    quote: str
    page: int = Field(description="From 1; 0 where the document has no pages.")
    aliases: list[str] = Field(description="Paths of files that say the same.")


class StatementJson(BaseModel):
    start: int
    end: int
    cites: list[int]
    support: Literal["supported", "partly", "unsupported"]
    score: float


class StepJson(BaseModel):
    kind: str
    text: str


class AskResponse(BaseModel):
    question: str
    answer: str
    abstained: bool
    unsure: bool = Field(description="Answered, but the evidence is thin.")
    confidence: float = Field(description="How likely the answer stands, 0 to 1.")
    generator: str = Field(description="The model's name; `extractive` for quotations.")
    program: str = Field(description="The prompt program; empty for quotations.")
    degraded: str = Field(description="The error for which the documents are quoted instead.")
    cached: bool = Field(description="Given before, for a question that asks the same.")
    citations: list[CitationJson]
    dropped: int = Field(description="Markers of passages that do not exist, left out.")
    statements: list[StatementJson] = Field(
        description="Sentences of `answer` by character span, and how their passages bear them out."
    )
    steps: list[StepJson] = Field(description="What the program did on the way.")
    hits: list[HitJson]
    warnings: list[str]


class ErrorBody(BaseModel):
    type: str = Field(description="The kind of error: `BadQuery`, `CollectionMissing`, …")
    message: str = Field(description="What went wrong, and with which thing.")
    remedy: str = Field(description="What to do; may be empty.")


class ErrorJson(BaseModel):
    error: ErrorBody


class OpenAIErrorBody(BaseModel):
    message: str
    type: Literal["invalid_request_error", "api_error"]
    param: None
    code: str = Field(description="The kind of error, as `type` elsewhere.")


class OpenAIErrorJson(BaseModel):
    error: OpenAIErrorBody


class VoteRequest(BaseModel):
    id: str = Field(
        pattern="^[0-9a-f]{16}$",
        description="What the header `X-Saem-Query` of the response said.",
    )
    vote: StrictInt = Field(ge=-1, le=1, description="1 helped, -1 did not, 0 takes the vote back.")
    hit: StrictInt | None = Field(
        None, description="Which of the hits, from 0; the answer if left out."
    )
    collection: Text | None = Field(None, description="The one asked; the default if left out.")


class CollectionJson(BaseModel):
    name: str
    documents: int
    passages: int
    outstanding: int = Field(description="Passages that have no vector yet.")
    bytes: int
    generation: int
    analyser: str
    encoder: str
    spaces: list[dict[str, Any]] = Field(
        description="Encoders that there are vectors of: fingerprint, name, state, outstanding."
    )
    tuned: dict[str, Any] = Field(description="What `rag tune` has found: settings, provenance.")


class FailedCollection(BaseModel):
    name: str
    error: str


class Collections(BaseModel):
    collections: list[CollectionJson]
    failed: list[FailedCollection] = Field(description="Collections that cannot be opened.")


class DocumentItem(BaseModel):
    id: str
    version: str
    path: str
    title: str
    language: str
    passages: int
    aliases: list[str] = Field(description="Paths of files left out because they say the same.")


class DocumentText(DocumentItem):
    uri: str
    text: str


class Documents(BaseModel):
    documents: list[DocumentItem]


class Failed(BaseModel):
    path: str
    error: str


class NoteJson(BaseModel):
    path: str
    note: str


class Uploaded(BaseModel):
    documents: list[DocumentItem]
    failed: list[Failed]
    notes: list[NoteJson] = Field(description="What was read in part only, or with a guess.")


class Deleted(BaseModel):
    deleted: int


class Ready(BaseModel):
    ready: bool
    missing: list[str]


class ChatMessage(BaseModel):
    model_config = ConfigDict(extra="ignore")
    role: Text
    content: Text | list[dict[str, Any]] | None = None

    def text(self) -> str:
        """The content as text; parts of other types do not count."""
        if isinstance(self.content, list):
            return "\n".join(
                encodable(str(p.get("text", ""))) for p in self.content if p.get("type") == "text"
            )
        return self.content or ""


class ChatRequest(BaseModel):
    model_config = ConfigDict(extra="ignore")
    model: Text = "saem"
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
