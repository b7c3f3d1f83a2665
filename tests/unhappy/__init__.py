"""Unhappy replies of a model, each through a whole run: what it costs, how it ends, and which error says why."""

from .cases import CASES, Case
from .play import Played, play

__all__ = ["CASES", "Case", "Played", "play"]
