"""Random streams, and dealing out kinds by their shares."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

Kind = TypeVar("Kind", bound=Hashable)

# One random stream for each purpose, so that changing one part leaves the others' draws alone.
ZONES, HOURS, ROLES, POLLER, OUTAGES, POLLS, REASONS, DIRECTORY, SALES = range(9)


def open_stream(seed: int, purpose: int, part: int = 0) -> np.random.Generator:
    """The random stream of one purpose, or of one part of it."""
    return np.random.default_rng([seed, purpose, part])


def deal(rng: np.random.Generator, shares: Mapping[Kind, float], number: int) -> list[Kind]:
    """``number`` kinds in random order, each as often as its share of 1 asks for."""
    kinds = list(shares)
    places = (rng.permutation(number) + 0.5) / number
    edges = np.cumsum(list(shares.values()))
    chosen = np.minimum(np.searchsorted(edges, places), len(kinds) - 1)
    return [kinds[k] for k in chosen]
