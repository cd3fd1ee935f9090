"""The leakage room against its peers, and the scan of a whole mixture.

    python bench/leakage.py [--corpus FOLDER] [--workers 2] [--json]

Prints chunks a second of r(C) with ten neighbours, ours against difflib; CPU seconds for the longest matches of a small
evaluation set in a larger text, ours against the suffix array of that text (pydivsufsort, its build alone); and, with
--corpus (a folder with `train` and `holdout`), wall seconds and memory of a scan of the five held-out subsets against
the training mixture, verdicts alone and with the exact mode. One thread a process. Writes bench/leakage.json.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from hutch.retrieval.leakage import longest_overlaps, read_evaluation, scan
from hutch.retrieval.leakage.longest_matches import Longest
from hutch.retrieval.leakage.suffix_order import suffix_order
from hutch.runs import BadInput
from hutch.text import Tokenizer, read_source

VOCABULARY = 8192


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def zipf_tokens(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Token ids as frequent as words are."""
    weights = 1 / np.arange(1, VOCABULARY + 1)
    return random.choice(VOCABULARY, shape, p=weights / weights.sum())


def overlap_figures(chunks: int = 5000, compared: int = 100) -> dict[str, float]:
    """Chunks of 64 tokens a CPU second, with ten neighbours of 128; a tenth of the neighbours hold half the chunk."""
    random = np.random.default_rng(0)
    chunks_nm, values_nkr = zipf_tokens(random, chunks, 64), zipf_tokens(random, chunks, 10, 128)
    values_nkr[:, 3, 40:72] = chunks_nm[:, 16:48]
    longest_overlaps(chunks_nm[:1], values_nkr[:1])

    def plain() -> None:
        for chunk, values in zip(chunks_nm[:compared].tolist(), values_nkr[:compared].tolist(), strict=True):
            for value in values:
                SequenceMatcher(None, chunk, value, autojunk=False).find_longest_match()

    ours = chunks / cpu_seconds(lambda: longest_overlaps(chunks_nm, values_nkr))
    peer = compared / cpu_seconds(plain)
    return {"chunks_per_second": ours, "difflib_chunks_per_second": peer, "ratio": ours / peer}


def exact_figures(evaluation: int = 400_000, training: int = 8_000_000) -> dict[str, float]:
    """CPU seconds to sort an evaluation set and stream a text past it, and to sort the text instead."""
    from pydivsufsort import divsufsort  # pyrefly: ignore[missing-import]

    random = np.random.default_rng(1)
    held_out = zipf_tokens(random, evaluation // 1000, 1000)
    text = zipf_tokens(random, training // 1000, 1000)
    text[::50, :300] = held_out[np.arange(len(text[::50])) % len(held_out), 200:500]

    def ours() -> None:
        order = suffix_order(list(held_out), 8, 64)
        notes = Longest.none(len(order.places))
        for number, document in enumerate(text):
            notes.add(order, number, document)
        notes.spread(order)

    ours()
    taken = cpu_seconds(ours)
    peer = cpu_seconds(lambda: divsufsort(text.astype(">u2").reshape(-1).view(np.uint8)))
    return {"seconds": taken, "suffix_array_of_the_text_seconds": peer, "ratio": peer / taken}


@contextmanager
def watched_memory(found: dict[str, float]):
    """Note the largest memory of this process and of those that it starts, mapped files apart, in MB."""
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.2):
            sizes = {process: anonymous_mb(process) for process in family(os.getpid())}
            found["parent_mb"] = max(found.get("parent_mb", 0), sizes.pop(os.getpid(), 0.0))
            found["worker_mb"] = max(found.get("worker_mb", 0), *sizes.values(), 0.0)
            found["all_mb"] = max(found.get("all_mb", 0), anonymous_mb(os.getpid()) + sum(sizes.values()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def family(root: int) -> list[int]:
    """A process and those that descend from it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def anonymous_mb(process: int) -> float:
    """Memory of a process that no file backs, in MB; 0 when it is gone."""
    with suppress(OSError, StopIteration):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) * 1.024e-3
    return 0.0


def scan_figures(corpus: Path, workers: int) -> dict[str, Any]:
    """Wall seconds and memory of scans of the held-out text against the training text."""
    texts = (document.text for document in islice(read_source(corpus / "train").documents(), 300))
    tokenizer = Tokenizer.train(texts, VOCABULARY)
    figures: dict[str, Any] = {"workers": workers}
    for name, encode in (("verdicts", None), ("verdicts_and_exact", tokenizer.encode)):
        memory: dict[str, float] = {}
        with watched_memory(memory):
            began = time.perf_counter()
            report = scan(read_evaluation(corpus / "holdout"), corpus / "train", encode=encode, workers=workers)
            figures[name] = {"seconds": time.perf_counter() - began, **memory}
        figures["documents"] = {"evaluation": len(report.rows), "training": report.training_documents}
        figures["found"] = report.verdicts()["all"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    document: dict[str, Any] = {"overlap": overlap_figures(), "exact": exact_figures()}
    if options.corpus:
        try:
            document["scan"] = scan_figures(options.corpus, options.workers)
        except BadInput as error:
            sys.exit(str(error))
    Path(__file__).with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    if options.json:
        print(json.dumps(document, indent=1))
        return
    one, two = document["overlap"], document["exact"]
    print(f"r(C), 10 neighbours      {one['chunks_per_second']:,.0f} chunks/s, {one['ratio']:.1f} times difflib")
    print(f"longest matches          {two['seconds']:.2f} s, {two['ratio']:.1f} times as fast as sorting the text")
    for name in ("verdicts", "verdicts_and_exact") if options.corpus else ():
        found = document["scan"][name]
        print(f"scan, {name:18} {found['seconds']:.0f} s, {found['all_mb']:,.0f} MB")


if __name__ == "__main__":
    main()
