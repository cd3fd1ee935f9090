"""Actors, tasks and nodes of Ray: files of tests that run in a network of their own, see `alone`."""

import pytest

from tests.retrieval.sharded.alone import run_alone

pytest.importorskip("faiss")

PASSED = ("", [])
"""Nothing went wrong, no process is left."""


@pytest.mark.slow
def test_actors_answer_die_and_come_back():
    assert run_alone("inside_answers.py", timeout=900) == PASSED


@pytest.mark.slow
def test_a_node_that_is_removed_costs_no_answer():
    assert run_alone("inside_nodes.py", timeout=600) == PASSED


@pytest.mark.slow
def test_who_started_a_cluster_may_be_killed():
    assert run_alone("inside_killed.py", timeout=600) == PASSED
