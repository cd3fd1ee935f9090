"""Indexes: exact where they say so, measured where they are not, and logarithmic where they must be."""

import numpy as np
import pytest

from hutch.retrieval.index import IndexConfig, Vectors, build_index, distance_computations, header_of, kind_for
from hutch.retrieval.index import open_index as opened
from hutch.runs.errors import HutchError

pytest.importorskip("faiss")
DIMENSIONS = 16


def clustered(count, seed=0):
    """Unit vectors around 40 centres, as texts lie."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(40, DIMENSIONS))
    vectors = centres[random.integers(40, size=count)] + 0.4 * random.normal(size=(count, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def written(folder, vectors):
    folder.mkdir(exist_ok=True)
    path = folder / "vectors.bin"
    path.write_bytes(header_of(len(vectors), DIMENSIONS) + vectors.tobytes())
    return Vectors.open(path, len(vectors), DIMENSIONS)


@pytest.mark.parametrize(("count", "kind"), [(0, "flat"), (99_999, "flat"), (100_000, "hnsw"), (1_000_000, "ivf")])
def test_the_rule(count, kind):
    assert kind_for(IndexConfig(), count) == kind


def test_a_flat_index_finds_the_nearest(tmp_path):
    vectors = clustered(500)
    store = written(tmp_path, vectors)
    index = opened(store, build_index(store, IndexConfig(), tmp_path), tmp_path)
    queries = clustered(20, seed=1).astype(np.float32)
    ids, distances = index.search(queries, 3)
    exact = ((queries[:, None] - vectors.astype(np.float32)[None]) ** 2).sum(-1)
    assert np.array_equal(ids, exact.argsort(1, kind="stable")[:, :3])
    np.testing.assert_allclose(distances, np.sort(exact, 1)[:, :3], atol=1e-4)


def test_more_neighbours_than_vectors_are_missing(tmp_path):
    store = written(tmp_path, clustered(3))
    index = opened(store, build_index(store, IndexConfig(), tmp_path), tmp_path)
    ids, distances = index.search(clustered(2, seed=1).astype(np.float32), 5)
    assert (ids[:, 3:] == -1).all()
    assert np.isinf(distances[:, 3:]).all()


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_reaches_the_recall_that_it_states(tmp_path, kind):
    vectors, queries = np.split(clustered(4200), [4000])
    store, queries = written(tmp_path, vectors), queries.astype(np.float32)
    description = build_index(store, IndexConfig(kind=kind, sample=300), tmp_path)
    index = opened(store, description, tmp_path)
    exact = ((queries[:, None] - vectors.astype(np.float32)[None]) ** 2).sum(-1).argsort(1)[:, :2]
    found = index.search(queries, 2)[0]
    hits = np.mean([len(set(a) & set(b)) / 2 for a, b in zip(found, exact, strict=True)])
    assert description["recall_at_2"] >= 0.95
    assert hits > 0.9


def test_distance_computations_of_a_graph_grow_like_the_logarithm(tmp_path):
    counts, computed = (1000, 4000, 16_000), []
    for count in counts:
        folder = tmp_path / str(count)
        store = written(folder, clustered(count))
        description = build_index(store, IndexConfig(kind="hnsw", recall=0.01, sample=50), folder)
        queries = clustered(200, seed=1).astype(np.float32)
        computed.append(distance_computations(opened(store, description, folder), queries, 2))
    # Sixteen times the vectors: a scan computes sixteen times the distances, a graph log 16,000 / log 1,000 = 1.4.
    assert computed[2] < 2 * computed[0]
    assert computed[2] < 0.05 * counts[2]


def test_a_truncated_file_of_vectors_is_named(tmp_path):
    store = written(tmp_path, clustered(50))
    store.path.write_bytes(store.path.read_bytes()[:-2])
    with pytest.raises(HutchError) as caught:
        Vectors.open(store.path, 50, DIMENSIONS)
    assert "vectors.bin" in str(caught.value)
