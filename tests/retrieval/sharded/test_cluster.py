"""Actors, tasks and nodes of Ray: files of tests that run in a network of their own, see `alone`."""

import pytest

from tests.retrieval.sharded.alone import run_alone

pytest.importorskip("faiss")


@pytest.mark.slow
def test_actors_answer_die_and_come_back():
    run_alone("inside_answers.py", timeout=900)


@pytest.mark.slow
def test_a_node_that_is_removed_costs_no_answer():
    run_alone("inside_nodes.py", timeout=600)


@pytest.mark.slow
def test_who_started_a_cluster_may_be_killed():
    run_alone("inside_killed.py", timeout=600)
