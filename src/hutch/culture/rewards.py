"""What entering a goal is worth, and how tangled an order of goals is."""

import numpy as np


def entry_reward(last: int, entered: int, successor_of_last: int, right: float, penalty: float) -> float:
    """The reward for entering goal `entered`, which then is the player's last one.

    The first goal (`last` is −1) and the goal that follows the last one give `right`; the last one again gives nothing;
    any other costs `penalty` (GoalCycle: Ndousse et al. 2021; Bhoopchand et al. 2023, GoalCycle3D task space).
    `successor_of_last` has no meaning where `last` is −1.
    """
    if last < 0 or entered == successor_of_last:
        return right
    if entered == last:
        return 0.0 * right
    return -penalty


def self_crossings(points_nx: np.ndarray) -> int:
    """How often the closed path through `points_nx` [n, 2] crosses itself (Bhoopchand et al. 2023, difficulty of a
    game)."""
    count = len(points_nx)
    edges = [(points_nx[i], points_nx[(i + 1) % count]) for i in range(count)]
    return sum(
        _cross(*edges[i], *edges[j])
        for i in range(count)
        for j in range(i + 2, count)
        if not (i == 0 and j == count - 1)
    )


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    return _side(a, b, c) != _side(a, b, d) and _side(c, d, a) != _side(c, d, b)


def _side(a: np.ndarray, b: np.ndarray, p: np.ndarray) -> bool:
    return bool((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0)
