"""What a ray can hit, and what stands in a world, as small numbers."""

NOTHING, TERRAIN, WALL, PILLAR, HURDLE, BAR, GOAL = range(7)
"""Goal g is GOAL + g."""
