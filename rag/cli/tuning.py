"""``rag tune`` and ``rag synth``."""

from __future__ import annotations

import re
import tempfile
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli import options, view
from rag.cli.measuring import Corpus, Limit, Seed, Split, asked, watch
from rag.errors import BadQuery

if TYPE_CHECKING:
    from eval.dataset import Dataset
    from eval.tuning import Tuning
    from rag.index import Collection


def tune(
    data: Annotated[
        Path | None, typer.Option(help="BEIR or TREC folder, SQuAD JSON, CSV, or query log.")
    ] = None,
    split: Split = "train",
    test: Annotated[
        str | None, typer.Option(help="Judgements to report on that nothing is chosen by.")
    ] = None,
    corpus: Corpus = None,
    measure: Annotated[str, typer.Option(help="What to maximise.")] = "nDCG@10",
    trials: Annotated[int, typer.Option(min=1, help="How many settings to try.")] = 60,
    chunk_size: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Size of passages to try, in tokens. May be repeated."),
    ] = None,
    limit: Limit = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Settings file to write, if the settings win.")
    ] = None,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the collection's tuning, and do nothing else.")
    ] = False,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Choose the settings that answer known questions best; keep them if they hold."""
    from eval import formats, tuned
    from eval.tune import Tuner
    from rag.index import Tuned

    settings = options.settings(home, collection, config=config)
    user = asked(settings)
    if reset:
        _reset(user, as_json=as_json)
        return
    if data is None:
        raise BadQuery("there is nothing to tune by", remedy="Name questions with --data")
    if out:
        tuned.check(out)
    if test and not data.is_dir():
        raise BadQuery(f"{data} has no splits, so no --test", remedy="A BEIR folder has them")
    dataset = formats.load(data, split=split, corpus=corpus, limit=limit, seed=seed)
    final = formats.load(data, split=test, corpus=corpus) if test else None
    with tempfile.TemporaryDirectory() as private:
        dataset, folder = _documents(dataset, user, chunk_size, Path(private))
        tuner = Tuner(
            dataset,
            settings.over((user.tuned() if user else Tuned()).settings),
            user,
            measure=measure,
            trials=trials,
            seed=seed,
            chunk_tokens=chunk_size or (),
            fixed=settings.explicit if user else (),  # what is explicit counts more than a tuning
            watch=watch(quiet=as_json),
            folder=folder,
        )
        with closing(tuner):
            tuning = tuner.run(final)
    if not as_json:
        tuned.show(tuning, view.console())
    saved = _saved(tuning, user, out)
    if as_json:
        view.print_json(asdict(tuning) | {"saved": saved})
    elif saved:
        view.say(f"Saved {', '.join(tuning.settings)} to {' and '.join(saved)}.")
    elif tuning.settings:
        view.say("Kept nowhere: add --out FILE, or --collection NAME.")


def _reset(user: Collection | None, *, as_json: bool) -> None:
    from rag.index import Tuned

    if user is None:
        raise BadQuery("--reset needs the collection's name", remedy="Add --collection NAME")
    user.tune(Tuned())
    if as_json:
        view.print_json({"reset": user.name})
    else:
        view.say(f"'{user.name}' is back to the settings.")


def _documents(
    dataset: Dataset, user: Collection | None, sizes: list[int] | None, private: Path
) -> tuple[Dataset, Path | None]:
    """``dataset`` with the documents to cut, and the folder to do so where they are the user's."""
    from eval.bed import reread

    if user and dataset.documents:
        raise BadQuery(
            f"'{dataset.name}' brings documents of its own, so it tells nothing of '{user.name}'",
            remedy="Leave --collection out, and keep what is found with --out",
        )
    if user and sizes:
        return replace(dataset, documents=reread(user)), private
    return dataset, None


def _saved(tuning: Tuning, user: Collection | None, out: Path | None) -> list[str]:
    """Where the settings that won were saved."""
    from eval import tuned
    from rag.index import Tuned

    saved = []
    if tuning.settings and out:
        tuned.write(tuning, out)
        saved.append(str(out))
    size = tuning.settings.get("chunk_tokens")
    if user and size:
        view.warn(
            f"not for '{user.name}' as it is: its passages have another size. "
            f"Index anew with chunk_tokens = {size}, and tune that"
        )
    elif user and tuning.settings:
        user.tune(Tuned({**user.tuned().settings, **tuning.settings}, tuning.provenance))
        saved.append(f"collection '{user.name}'")
    return saved


def synth(
    out: Annotated[Path, typer.Argument(help="Folder to write, in the form of BEIR.")],
    count: Annotated[int, typer.Option(help="At most so many questions.")] = 100,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="single, multi, unanswerable, paraphrase or cross. May be repeated."),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Of the passages: ko, en. May be repeated.")
    ] = None,
    split: Split = "test",
    seed: Seed = 0,
    home: options.Home = None,
    collection: options.Collection = None,
    config: options.Config = None,
    llm_url: options.LlmUrl = None,
    llm: options.Llm = None,
    as_json: options.Json = False,
) -> None:
    """Make questions from a collection, to evaluate and tune with."""
    from typing import cast

    from eval import formats
    from eval.draft import KINDS, Kind
    from eval.synth import synthesize

    saem = options.workspace(home, collection, config=config, llm_url=llm_url, llm=llm)
    _refuse_others(out, split)
    kinds = cast("list[Kind]", kind) or KINDS
    # The default model is too weak for this: a language model must be asked for.
    wanted = saem.settings.llm_url or "llm" in saem.settings.explicit
    try:
        with view.progress("Asking", "passages", quiet=as_json) as progress:
            dataset, summary = synthesize(
                saem.searcher(),
                saem.llm() if wanted else None,
                count=count,
                kinds=kinds,
                languages=language,
                seed=seed,
                progress=progress,
            )
    finally:
        saem.close()
    if not dataset.queries:
        view.print_synthesis(summary, dataset, out)
        raise BadQuery("no question could be made", remedy="Index more, or allow more kinds")
    formats.save(dataset, out, split)
    if as_json:
        view.print_json(asdict(summary) | {"queries": len(dataset.queries), "path": str(out)})
    else:
        view.print_synthesis(summary, dataset, out)


def _refuse_others(folder: Path, split: str) -> None:
    """Raise unless the split in ``folder`` is free, or of synthetic questions."""
    from eval import formats

    if not re.fullmatch(r"[\w-]+", split):
        raise BadQuery(f"'{split}' is no name for a split", remedy="Use letters, digits, _ and -")
    if not (folder / "qrels" / f"{split}.tsv").exists():
        return
    found = formats.load(folder, split=split).queries
    if not all(q.id.startswith("synth-") for q in found):
        raise BadQuery(f"{folder} has questions of split '{split}' that were not made by rag synth",
                       remedy="Name another folder or --split")  # fmt: skip
