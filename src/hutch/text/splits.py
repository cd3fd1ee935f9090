"""Which document is held out, which one is a duplicate, and in which order the rest is trained on.

All three follow from the texts alone (and a seed for the order), never from file names or reading order,
so the same texts give the same split on every machine, and a document stays on its side when others are
added. Duplicates are *exact* up to whitespace: texts with equal words in equal order. Near duplicates are
another matter and are not looked for here.
"""

import hashlib

import numpy as np

from hutch.runs.seeds import seed_of


def document_hash(text: str) -> int:
    """64 bits of BLAKE2b over the text with every run of whitespace made one space and the ends stripped.

    Equal hashes mean duplicates: among a million documents two others collide with probability 3e-8.
    Raises UnicodeEncodeError for lone surrogates, which are no text.
    """
    normalised = " ".join(text.split()).encode()
    return int.from_bytes(hashlib.blake2b(normalised, digest_size=8).digest(), "little")


def holdout_mask(hashes: np.ndarray, subsets: np.ndarray, fraction: float) -> np.ndarray:
    """Which documents are held out, as booleans [documents].

    A document is held out when its hash lies in the lowest `fraction` of all hashes. In each subset the one with
    the highest hash never is, so that every subset is trained on, and of two or more the one with the lowest hash
    is in any case. Where each subset has one document, the lowest hash of all is held out, if there are two.

    Args:
        hashes: uint64 [documents], distinct.
        subsets: integer [documents].
        fraction: expected share of documents, between 0 and 1.
    """
    mask = hashes < np.uint64(fraction * 2**64)
    for subset in np.unique(subsets):
        members = np.flatnonzero(subsets == subset)
        mask[members[np.argmin(hashes[members])]] = True
        mask[members[np.argmax(hashes[members])]] = False  # the last word: it may be the only document
    if not mask.any() and len(mask) >= 2:
        mask[np.argmin(hashes)] = True
    return mask


def scored_documents(held_out: np.ndarray, hashes: np.ndarray, subsets: np.ndarray, most: int | None) -> np.ndarray:
    """The held-out documents that are kept for scoring, as indices by ascending hash: of each subset the `most` with
    the lowest hashes, or all. The others are set aside, so that a larger `most` never scores what was trained on."""
    kept = []
    for subset in np.unique(subsets):
        members = np.flatnonzero(held_out & (subsets == subset))
        kept.append(members[np.argsort(hashes[members])][:most])
    scored = np.concatenate(kept) if kept else np.empty(0, np.int64)
    return scored[np.argsort(hashes[scored])]


def training_order(hashes: np.ndarray, seed: int) -> np.ndarray:
    """The documents in training order, as indices [documents]: sorted by a hash of (seed, document hash).

    The scrambler is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), so that the order owes nothing
    to the bare hash, which decides the split.
    """
    z = hashes + np.uint64(seed_of("training order", seed))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.argsort(z ^ (z >> np.uint64(31)), kind="stable")
