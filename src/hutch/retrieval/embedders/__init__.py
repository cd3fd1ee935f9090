"""Chunks of tokens to vectors, and BM25, which needs none.

- `protocol`       what an embedder can do
- `static`         word vectors learned from the chunks themselves; the CPU's default
- `word_vectors`   how they are learned
- `transformer`    an encoder such as MiniLM
- `hidden_states`  a language model's own hidden states
- `bm25`           scores by shared tokens, to re-rank what an embedder found
- `postings`       the same as a retriever of its own
- `saved`          open the embedder that a database was made with
"""

from hutch.retrieval.embedders.bm25 import Bm25
from hutch.retrieval.embedders.hidden_states import HiddenStateEmbedder
from hutch.retrieval.embedders.postings import Postings
from hutch.retrieval.embedders.protocol import Embedder
from hutch.retrieval.embedders.saved import open_embedder
from hutch.retrieval.embedders.static import StaticConfig, StaticEmbedder
from hutch.retrieval.embedders.transformer import TransformerEmbedder

__all__ = [
    "Bm25",
    "Embedder",
    "HiddenStateEmbedder",
    "Postings",
    "StaticConfig",
    "StaticEmbedder",
    "TransformerEmbedder",
    "open_embedder",
]
