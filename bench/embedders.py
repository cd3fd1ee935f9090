"""Which retriever is worth its time on a CPU: held-out bits per byte that it gains, and what it costs.

    python bench/embedders.py RUN [--documents 2000] [--held-out 200] [--ways static,reranked,bm25,minilm] [--json]

RUN is a folder of `hutch retro train`. For each way a database of the first documents of its corpus is built and the
held-out documents are scored with the run's number of neighbours from it; the model is the same for all. Prints bits
per byte, the gain against no retrieval with its 95 % interval, CPU seconds of the build and of the search, and the gain
for a CPU hour of both. One thread. Writes bench/embedders.json.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from hutch.retrieval.database import ChunkDatabase, DatabaseConfig, build_database
from hutch.retrieval.embedders import StaticConfig, TransformerEmbedder
from hutch.retrieval.leakage.curve import filtered_bits_per_byte
from hutch.retrieval.training.retrieved_likelihood import HeldOutWindows, token_nats
from hutch.retrieval.training.retro_folder import TrainedRetro
from hutch.text import Corpus

WAYS = ("static", "reranked", "bm25", "minilm", "minilm reranked")


def database_of(way: str, corpus: Corpus, documents: int, folder: Path) -> ChunkDatabase:
    embedder = TransformerEmbedder("minilm") if way.startswith("minilm") else StaticConfig()
    retriever = "bm25" if way == "bm25" else "reranked" if way.endswith("reranked") else "dense"
    config = DatabaseConfig(documents=documents, retriever=retriever)
    return build_database(corpus, corpus.tokenizer, folder / way.replace(" ", "-"), embedder=embedder, config=config)


def measure(run: Path, ways: list[str], documents: int, held_out: int) -> dict[str, Any]:
    trained = TrainedRetro.open(run)
    corpus = Corpus.open(trained.corpus)
    windows = HeldOutWindows.of(
        corpus.holdout, trained.config.train.model.context, corpus.tokenizer.end_of_document
    ).first(held_out)
    owners = windows.owner_wt[windows.owner_wt >= 0]
    count = int(owners.max()) + 1
    sizes = np.asarray(corpus.holdout.documents["bytes"])[:count]
    bits = {"off": np.bincount(owners, token_nats(trained.model, windows)) / np.log(2)}
    costs: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        for way in ways:
            began = time.process_time()
            database = database_of(way, corpus, documents, Path(place))
            built = time.process_time()
            ids = windows.neighbours(database, trained.config.neighbours)
            searched = time.process_time()
            costs[way] = {"build": built - began, "search": searched - built, "chunks": len(database)}
            bits[way] = np.bincount(owners, token_nats(trained.model, windows, ids, database.values)) / np.log(2)
    curve = filtered_bits_per_byte(
        bits, sizes, np.zeros(count), np.arange(count), alphas=(1.0,), differences=[("off", way) for way in ways]
    )
    rows = []
    for way in ways:
        gain = curve.differences["off", way]
        hours = (costs[way]["build"] + costs[way]["search"]) / 3600
        rows.append(
            {
                "way": way,
                "bits_per_byte": float(curve.models[way].value[0]),
                "gain": [float(part[0]) for part in (gain.value, gain.low, gain.high)],
                "gain_per_cpu_hour": float(gain.value[0]) / hours,
                **costs[way],
            }
        )
    return {"off": float(curve.models["off"].value[0]), "documents": count, "rows": rows}


def shown(document: dict[str, Any]) -> str:
    lines = [f"{document['documents']} held-out documents, {document['off']:.4f} bits per byte without retrieval"]
    for row in document["rows"]:
        value, low, high = row["gain"]
        lines.append(
            f"{row['way']:>16}  {row['bits_per_byte']:.4f}  gain {value:+.4f} [{low:+.4f}, {high:+.4f}]  build "
            f"{row['build']:7.1f} s, search {row['search']:6.1f} s  {row['gain_per_cpu_hour']:+.3f} per CPU hour"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--held-out", type=int, default=200)
    parser.add_argument("--ways", default="static,reranked,bm25,minilm")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ways = options.ways.split(",")
    if not set(ways) <= set(WAYS):
        parser.error(f"--ways are some of {', '.join(WAYS)}")
    document = measure(options.run, ways, options.documents, options.held_out)
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1))
    print(json.dumps(document, indent=1) if options.json else shown(document))


if __name__ == "__main__":
    main()
