"""How much farther a point lies from its neighbours than those from theirs: the local outlier factor.

Source: Breunig, Kriegel, Ng and Sander, LOF, SIGMOD 2000; as scikit-learn's LocalOutlierFactor has it (novelty=True),
whose import costs more than a night's whole judgement. Distances are Euclidean, taken as they stand and not from inner
products, so that equal points are 0 apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from jobs.methods.scale import Floats

AT_ONCE = 64
"""Points held against all others in one array."""
LEAST = 1e-10
"""Added to a mean distance, which is 0 among equal points."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """Points, how far each one's farthest neighbour lies, and how dense they stand; arrays of one entry a point."""

    points: Floats
    """Shape (points, dimensions)."""
    reach: Floats
    density: Floats
    factors: Floats
    """The factor of each point among the others; 1 is as dense as its neighbours, more is farther out."""
    neighbours: int

    @classmethod
    def of(cls, points: Floats, neighbours: int) -> Crowd:
        """Hold each point against its nearest others.

        >>> Crowd.of(np.array([[0.0], [1.0], [2.0], [9.0]]), 2).factors.round(3).tolist()
        [0.875, 1.333, 0.875, 4.375]
        """
        distance = _distances(points, points)
        np.fill_diagonal(distance, np.inf)
        nearest, far = _nearest(distance, neighbours)
        reach = far[:, -1]
        density = 1 / (np.maximum(far, reach[nearest]).mean(axis=1) + LEAST)
        return cls(points, reach, density, (density[nearest] / density[:, None]).mean(axis=1), neighbours)

    def factors_of(self, others: Floats) -> Floats:
        """The factor of each of some new points among these; shape (points, dimensions) to (points,).

        >>> Crowd.of(np.array([[0.0], [1.0], [2.0], [3.0]]), 2).factors_of(np.array([[1.5], [30.0]])).round(2).tolist()
        [0.67, 18.33]
        """
        nearest, far = _nearest(_distances(others, self.points), self.neighbours)
        density = 1 / (np.maximum(far, self.reach[nearest]).mean(axis=1) + LEAST)
        return np.asarray((self.density[nearest] / density[:, None]).mean(axis=1))


def _distances(those: Floats, points: Floats) -> Floats:
    """Shape (those, points)."""
    parts = (those[at : at + AT_ONCE, None, :] - points[None] for at in range(0, len(those), AT_ONCE))
    return np.concatenate([np.sqrt(np.square(part).sum(axis=2)) for part in parts])


def _nearest(distance: Floats, neighbours: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Places and distances of each row's least entries, ascending; of equal ones the first."""
    places = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
    return places, np.take_along_axis(distance, places, axis=1)
