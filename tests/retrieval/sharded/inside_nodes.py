"""Run by test_cluster.py in a network of its own: a cluster of several nodes, one of which is taken away."""

import numpy as np
import ray
from ray.cluster_utils import Cluster

from hutch.retrieval.sharded import cluster, sharded
from hutch.retrieval.sharded.cluster import OBJECTS_MB, ray_library
from tests.retrieval.sharded.pieces import assert_same_answers, questions, several_segments


def nodes_of(wide):
    """The node on which each actor lives."""
    actors = {state["ActorID"]: state["Address"]["NodeID"] for state in ray._private.state.actors().values()}
    return [actors[handle._actor_id.hex()] for handle in wide.shards.handles]


def test_an_actor_moves_off_a_node_that_is_removed(tmp_path):
    ray_library()
    node = {"num_cpus": 1, "object_store_memory": OBJECTS_MB << 20}
    several = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    other = several.add_node(**node)
    try:
        database = several_segments(tmp_path)
        with cluster(several.address), sharded(database, shards=4, timeout=180) as wide:
            assert_same_answers(database, wide)
            before = nodes_of(wide)
            assert other.node_id in before
            assert len(set(before)) == 2
            several.remove_node(other, allow_graceful=False)
            queries, k, more = questions(database)["reranked, own document excluded"]
            found = wide.search(queries, k, **more)
            assert found.missing == ()
            assert np.array_equal(found.ids, database.search(queries, k, **more).ids)
            assert_same_answers(database, wide)
            assert other.node_id not in nodes_of(wide)
    finally:
        several.shutdown()
