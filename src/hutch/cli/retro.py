"""`hutch retro train`, `retrofit`, `evaluate` and `sample`: language models that retrieve."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hutch.cli.db_corpus import add_workers, workers_of
from hutch.cli.lm_train import add_model, add_recipe, add_session, count_of, in_process, request_of, session_of
from hutch.cli.numbers import from_zero

if TYPE_CHECKING:
    from hutch.retrieval.training.retro_folder import TrainedRetro


def add_commands(rooms: Any) -> None:
    """Add `retro` and its verbs to the command line."""
    room = rooms.add_parser(
        "retro",
        help="models that retrieve: train one, retrofit one, evaluate it, text from it",
        epilog="example: hutch retro train --corpus my-texts/ --width 128 --tokens 5M --out my-retro",
    )
    verbs = room.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_train(verbs)
    _add_retrofit(verbs)
    _add_evaluate(verbs)
    _add_sample(verbs)


def _add_train(verbs: Any) -> None:
    train = verbs.add_parser(
        "train",
        help="train a model that retrieves; the same command again goes on where it stopped",
        description="Train a decoder, an encoder of neighbours and chunked cross-attention from scratch. Without "
        "--database one is built of the corpus, in DIR/database.",
        epilog="example: hutch retro train --corpus my-texts/ --width 128 --tokens 5M --out my-retro",
    )
    add_model(train)
    add_recipe(train)
    _add_retrieval(train)
    add_session(train)
    add_workers(train)
    train.set_defaults(call=lambda options: in_process(lambda: _train(options, request_of(options))))


def _add_retrofit(verbs: Any) -> None:
    fit = verbs.add_parser(
        "retrofit",
        help="teach a trained model to retrieve; the model itself stays as it is",
        description="Train an encoder of neighbours and chunked cross-attention around a model that is frozen. The "
        "text is encoded by the model's own tokenizer, in DIR/corpus.",
        epilog="example: hutch retro retrofit smollm2 --corpus my-texts/ --tokens 200k --out my-retrofit",
    )
    fit.add_argument(
        "model", metavar="MODEL", help='a run of hutch, a folder of transformers, a .gguf file, or "smollm2"'
    )
    group = fit.add_argument_group("how it is trained")
    group.add_argument("--corpus", required=True, metavar="DIR|TEXT", help="a corpus, or a file or folder of text")
    group.add_argument("--tokens", type=count_of, required=True, metavar="D", help="training tokens, such as 200k")
    group.add_argument("--context", type=int, default=512, metavar="T", help="tokens of a sequence (default: 512)")
    group.add_argument("--sequences", type=int, default=8, metavar="B", help="in a batch (default: 8)")
    group.add_argument("--micro-sequences", type=int, metavar="N", help="sequences in one pass of one process")
    group.add_argument("--max-epochs", type=from_zero, default=4.0, help="passes over the corpus allowed (default: 4)")
    group.add_argument("--peak-rate", type=from_zero, default=0.006, help="learning rate at width 64 (default: 0.006)")
    group.add_argument("--seed", type=int, default=0, help="weights and order of the data (default: 0)")
    _add_retrieval(fit)
    add_session(fit)
    add_workers(fit)
    fit.set_defaults(call=lambda options: in_process(lambda: _train(options, _retrofit_request(options))))


def _add_retrieval(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it retrieves")
    group.add_argument("--database", type=Path, metavar="DIR", help="from hutch db build, of the same corpus")
    group.add_argument("--neighbours", type=int, default=2, metavar="K", help="of each chunk (default: 2)")
    group.add_argument("--encoder-width", type=int, metavar="W", help="(default: half the model's, at most 896)")
    group.add_argument(
        "--cross-layers", type=_layers, metavar="L,L,...", help="layers that read neighbours (default: every third)"
    )


def _layers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} are no layers such as 3,6") from error


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a folder of hutch retro train or retrofit")
    parser.add_argument("--database", type=Path, metavar="DIR", help="another one than it was trained with")


def _add_evaluate(verbs: Any) -> None:
    evaluate = verbs.add_parser(
        "evaluate",
        help="bits per byte with and without retrieval",
        description="Score the held-out documents of the run's corpus without retrieval, with several numbers of "
        "neighbours, and with parts of the database.",
        epilog="example: hutch retro evaluate my-retro --neighbours 1,2,4,10 --chunks 1000,10000",
    )
    _add_run(evaluate)
    evaluate.add_argument("--corpus", type=Path, metavar="DIR", help="a corpus of the same tokenizer, instead")
    evaluate.add_argument("--neighbours", type=_counts, default=(1, 2, 4, 10), metavar="K,K,...", help="1,2,4,10")
    evaluate.add_argument("--chunks", type=_counts, default=(), metavar="N,N,...", help="only the first N chunks")
    evaluate.add_argument("--documents", type=int, metavar="N", help="only the first N held-out documents")
    evaluate.add_argument("--json", action="store_true", help="one JSON document on stdout")
    evaluate.set_defaults(call=evaluate_run)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(count_of(part) for part in text.split(","))


def _add_sample(verbs: Any) -> None:
    from hutch.cli.lm import add_prompts, add_sampling

    sample = verbs.add_parser(
        "sample",
        help="continue texts, retrieving at the end of each chunk",
        epilog="example: hutch retro sample my-retro --prompt 'In the beginning' --show",
    )
    _add_run(sample)
    add_prompts(sample)
    sample.add_argument("--neighbours", type=int, metavar="K", help="0: without retrieval (default: as in training)")
    sample.add_argument("--show", action="store_true", help="say on stderr what was found for each chunk")
    add_sampling(sample)
    sample.add_argument("--json", action="store_true", help="one JSON document on stdout")
    sample.set_defaults(call=sample_run)


def _retrofit_request(options: argparse.Namespace) -> Any:
    from hutch.retrieval.training.retro_request import RetrofitRequest

    return RetrofitRequest(
        model=options.model,
        tokens=options.tokens,
        context=options.context,
        sequences=options.sequences,
        peak_rate=options.peak_rate,
        micro_sequences=options.micro_sequences,
        seed=options.seed,
    )


def _train(options: argparse.Namespace, request: Any) -> None:
    from hutch.cli.db_line import working
    from hutch.lm.allocator import keep_freed_memory
    from hutch.lm.launch import device_of_process, group_from_environment
    from hutch.retrieval.training.retro_folder import RetroSession, train_retro_in_folder
    from hutch.retrieval.training.retro_request import Retrieval, RetrofitRequest

    retrieval = Retrieval(
        neighbours=options.neighbours,
        encoder_width=options.encoder_width,
        cross_layers=options.cross_layers,
        # A retrofit sees too few tokens for an embedding of its own.
        shared_embedding=isinstance(request, RetrofitRequest),
    )
    device = device_of_process(options.device)
    keep_freed_memory()
    with group_from_environment("replicated", device=device) as group, working() as line:
        run = session_of(options, group, device)
        session = RetroSession(run=run, database=options.database, workers=workers_of(options.workers), on_work=line)
        document = train_retro_in_folder(request, retrieval, session)
    if group.rank == 0:
        from hutch.cli.lm_train import summary

        print(json.dumps(document, indent=1, sort_keys=True) if options.json else summary(document, options.out))


def evaluate_run(options: argparse.Namespace) -> None:
    """Score, and print a table."""
    from hutch.cli.db_line import working
    from hutch.retrieval.training.retro_evaluation import evaluate_retro
    from hutch.text import Corpus

    trained = _opened(options)
    corpus = Corpus.open(options.corpus or trained.corpus)
    with working() as line:
        evaluation = evaluate_retro(
            trained.model,
            trained.database,
            corpus.holdout,
            context=trained.config.train.model.context,
            neighbours=options.neighbours,
            chunks=options.chunks,
            documents=options.documents,
            on_progress=line,
        )
    rows = evaluation.rows()
    if options.json:
        print(json.dumps({"run": str(options.run), "database": str(trained.database.folder), "rows": rows}, indent=1))
        return
    from hutch.cli.show import show

    show(_table(rows))


def _opened(options: argparse.Namespace) -> "TrainedRetro":
    from hutch.retrieval.training.retro_folder import TrainedRetro

    return TrainedRetro.open(options.run, database=options.database)


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    from hutch.reports.formats import grouped

    table = Table(title="bits per byte; difference: against no retrieval, with its 95 % interval", title_justify="left")
    for name in ("subset", "documents", "neighbours", "chunks", "bits per byte", "difference"):
        table.add_column(name, justify="left" if name == "subset" else "right")
    before = None
    for row in rows:
        if before not in (None, row["subset"]):
            table.add_section()
        first, before = row["subset"] != before, row["subset"]
        difference = row["difference"]
        table.add_row(
            row["subset"] if first else "",
            grouped(row["documents"]) if first else "",
            str(row["neighbours"] or "off"),
            grouped(row["chunks"]) if row["chunks"] else "–",
            f"{row['bits_per_byte']['value']:.4f}",
            "–" if difference is None else _signed(difference),
        )
    return table


def _signed(interval: dict[str, float | None]) -> str:
    value, low, high = (interval[name] for name in ("value", "low", "high"))
    if low is None or high is None:
        return f"{value:+.4f}"
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


def sample_run(options: argparse.Namespace) -> int:
    """Continue the prompts: as it comes where there is one, else all at the end. Returns the exit code."""
    import sys

    from hutch.cli.lm import continue_texts, prompts_of, sampling_of

    sampling, prompts = sampling_of(options), prompts_of(options)
    from hutch.retrieval.training.retrieving_model import RetrievingModel

    def on_neighbours(chunk: Any, ids: Any) -> None:
        for number, found in enumerate(ids[ids >= 0], start=1):
            entry = database.document(int(database.document_of(found[None])[0]))
            tokens = database.values(found[None])[0]
            text = " ".join(database.tokenizer.decode(tokens[tokens >= 0]).split())
            print(f"\n  neighbour {number}, chunk {found} of {entry.subset or 'the text'}: {text}", file=sys.stderr)

    trained = _opened(options)
    database = trained.database
    told = on_neighbours if options.show else (lambda chunk, ids: None)
    model = RetrievingModel(trained, neighbours=options.neighbours, on_neighbours=told)
    return continue_texts(model, prompts, sampling, options)
