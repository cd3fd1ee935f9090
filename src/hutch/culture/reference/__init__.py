"""The same worlds in plain Python, slow and meant to be obviously right: what the compiled engine is held against.

float64 throughout and one thing at a time, so that it agrees with the engine up to the rounding of float32.

- `growth`   a world from its seed
- `motion`   one step of one world
- `sight`    what one avatar sees
"""

from hutch.culture.reference.growth import grown
from hutch.culture.reference.motion import stepped
from hutch.culture.reference.sight import observation, seen
from hutch.culture.reference.world import Avatar, Obstacle, World, world_of

__all__ = ["Avatar", "Obstacle", "World", "grown", "observation", "seen", "stepped", "world_of"]
