"""The design of Sobol indices: poses drawn from the scene's own measure, and the same with parameters exchanged.

Two independent samples A and B; AB_i is A with the parameters of factor i from B, BA_i the reverse (Saltelli 2002;
Saltelli et al. 2010). A factor is one parameter that varies, as a space draws each independently of the others: yaw,
pitch and roll of a Haar-uniform rotation too (yaw and roll uniform, the sine of the pitch uniform). Where all three
vary, "rotation" is a factor besides, which does not depend on the choice of angles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posetest.engine.probe_plan import Bases, Rows
from posetest.space import INDEX, Space

#: The factor of all three angles, and these.
ROTATION = "rotation"
_ANGLES = ("yaw", "pitch", "roll")
#: What rows say was exchanged: nothing (a pose of A, or of B), or which factor, and into which sample.
FIRST, SECOND, INTO_FIRST, INTO_SECOND = "A", "B", "AB", "BA"


def factors(free: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The factors of a space in which the parameters ``free`` vary, each with its parameters."""
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in free}
    if set(_ANGLES) <= set(free) and len(free) > len(_ANGLES):
        found[ROTATION] = _ANGLES
    return found


def design_rows(space: Space, count: int, key: Sequence[int]) -> tuple[Bases, Rows]:
    """The design of ``count`` rows, all poses of a row one below the other: A, B, and AB and BA of each factor.

    The bases are the poses of A, numbered from 0; no audit has read them. ``key``: the draws depend on these numbers
    alone.

    Raises:
        ConfigError: see ``Space.sample``.

    Source: Saltelli, Computer Physics Communications 145 (2002) 280, theorem 2.
    """
    seeds = np.random.SeedSequence(list(key)).generate_state(2, np.uint64)
    a, b = (space.sample(int(seed), 0, count) for seed in seeds)
    names, vectors = [FIRST, SECOND], [a, b]
    for factor, parameters in factors(tuple(space.free)).items():
        columns = [INDEX[name] for name in parameters]
        for word, into, source in ((INTO_FIRST, a, b), (INTO_SECOND, b, a)):
            mixed = into.copy()
            mixed[:, columns] = source[:, columns]
            names.append(f"{word} {factor}")
            vectors.append(mixed)
    of: NDArray[np.int64] = np.repeat(np.arange(count), len(names))
    rows = Rows(
        np.stack(vectors, axis=1).reshape(-1, a.shape[1]),
        of,
        np.tile(np.array(names, dtype=object), count),
        np.zeros(len(of)),
    )
    blank = np.full(count, "", dtype=object)
    return Bases(a, np.arange(count), np.zeros(count, dtype=bool), blank), rows
