"""The simulated world: an online shop whose model goes wrong in known ways on known days."""

from jobs.world.building import World, build_world, world_folder
from jobs.world.stories import PERIOD, Finding, Story, quiet_periods, stories

__all__ = ["PERIOD", "Finding", "Story", "World", "build_world", "quiet_periods", "stories", "world_folder"]
