"""Text in, clean token shards out.

    source ──> documents ──> split and order ──> tokenizer ──> shards ──> batches

- `documents`   the document
- `embedded`    the default corpus: text that ordinary packages ship
- `files`       text, JSON lines and Parquet as streams
- `sources`     the embedded corpus, files, folders, Hugging Face data sets
- `splits`      holdout, exact duplicates, training order
- `spool`       a corpus on its way through the disk
- `tokenizer`   byte-level BPE without loss
- `adopted_tokenizer`   somebody else's byte-level BPE
- `shards`      flat token files with a table of documents
- `corpora`     all of it: a configuration in, a folder out
- `batches`     batches as a pure function of (seed, step)

>>> corpus = build_corpus(CorpusConfig(source="my-texts/", vocabulary=4096), "corpus/")
>>> inputs_bt, targets_bt = Batches(corpus.train.tokens, context=256, sequences=16, seed=0).batch(step=0)
"""

from hutch.text.batches import Batches
from hutch.text.corpora import Corpus, CorpusConfig, build_corpus
from hutch.text.documents import Document
from hutch.text.embedded import EMBEDDED, EmbeddedSubset
from hutch.text.shards import Shard, ShardWriter
from hutch.text.sources import Source, read_source
from hutch.text.tokenizer import Tokenizer

__all__ = [
    "EMBEDDED",
    "Batches",
    "Corpus",
    "CorpusConfig",
    "Document",
    "EmbeddedSubset",
    "Shard",
    "ShardWriter",
    "Source",
    "Tokenizer",
    "build_corpus",
    "read_source",
]
