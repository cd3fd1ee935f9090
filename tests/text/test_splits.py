"""The split and the order follow from the texts alone."""

import numpy as np

from hutch.text.splits import document_hash, holdout_mask, scored_documents, training_order


def hashes_of(count):
    return np.array([document_hash(f"document {i}") for i in range(count)], dtype=np.uint64)


def test_equal_up_to_whitespace_is_equal():
    assert document_hash("a b\n\nc ") == document_hash("\ta\u00a0b c")
    assert document_hash("a b") != document_hash("ab")


def test_holdout_share_and_stability():
    hashes = hashes_of(20_000)
    mask = holdout_mask(hashes, np.zeros(20_000, dtype=int), 0.05)
    assert abs(mask.mean() - 0.05) < 0.005
    order = np.random.default_rng(0).permutation(20_000)
    assert np.array_equal(holdout_mask(hashes[order], np.zeros(20_000, dtype=int), 0.05), mask[order])
    wider = holdout_mask(hashes, np.zeros(20_000, dtype=int), 0.1)
    assert np.all(wider[mask])


def test_each_subset_is_on_both_sides():
    hashes = hashes_of(9)
    subsets = np.array([0, 0, 1, 1, 1, 2, 3, 3, 3])
    for fraction in (1e-9, 1 - 1e-9):
        mask = holdout_mask(hashes, subsets, fraction)
        for subset in (0, 1, 3):
            assert 0 < mask[subsets == subset].sum() < (subsets == subset).sum()
        assert not mask[subsets == 2].any()


def test_where_each_subset_has_one_document_the_lowest_of_all_is_held_out():
    for fraction in (1e-9, 1 - 1e-9):
        assert holdout_mask(np.array([9, 3, 5], np.uint64), np.arange(3), fraction).tolist() == [False, True, False]
    assert holdout_mask(np.array([9], np.uint64), np.arange(1), 0.5).tolist() == [False]


def test_order_depends_on_seed_and_texts_only():
    hashes = hashes_of(1000)
    order = training_order(hashes, seed=1)
    assert sorted(order) == list(range(1000))
    shuffled = np.random.default_rng(0).permutation(1000)
    assert np.array_equal(hashes[shuffled][training_order(hashes[shuffled], seed=1)], hashes[order])
    assert np.mean(order == training_order(hashes, seed=2)) < 0.05
    # The order owes nothing to the hash by which documents are held out.
    assert abs(np.corrcoef(np.argsort(order), hashes.astype(float))[0, 1]) < 0.1


def test_the_lowest_hashes_are_scored_and_more_of_them_hold_the_fewer():
    hashes = np.random.default_rng(0).permutation(1000).astype(np.uint64)
    subsets = np.arange(1000) % 3
    held_out = hashes < 300
    few, more, every = (scored_documents(held_out, hashes, subsets, most) for most in (5, 20, None))
    assert np.bincount(subsets[few]).tolist() == [5, 5, 5]
    assert set(few) < set(more) < set(every) == set(np.flatnonzero(held_out))
    for subset in range(3):
        kept, rest = few[subsets[few] == subset], np.flatnonzero(held_out & (subsets == subset))
        assert max(hashes[kept]) == sorted(hashes[rest])[4]
    assert all(hashes[few] == sorted(hashes[few]))
