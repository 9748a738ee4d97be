"""Fits of the week, kept from night to night: a forecast is fitted on Monday and asked for on each night until Sunday.

A fit is known by all it was made from, so that a changed figure, another Prophet or another program asks for a new
one. What is kept can be lost, or be of another model, and no answer changes.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jobs.engine import shelf
from jobs.methods import scale, weekly_fit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobs.methods.forecast import Fit
    from jobs.methods.scale import Floats
    from jobs.methods.weekly_fit import Calendar, Days

MOST = 1500
"""Fits that are kept, more than one process makes in a night."""


@contextmanager
def remembered(file: Path | None) -> Iterator[Fit]:
    """A `weekly_fit.fit` that looks into the file first, which holds what was asked for afterwards. None: no file."""
    if file is None:
        yield weekly_fit.fit
        return
    known, asked = shelf.read_json(file), dict[str, str]()

    def fit(days: Days, values: Floats, targets: Days, calendar: Calendar = weekly_fit.NO_CALENDAR) -> Floats:
        key = _key(days, values, targets, calendar)
        if key not in asked:
            kept = known.get(key, "")
            whole = len(_told(kept)) == len(targets)
            asked[key] = kept if whole else _written(weekly_fit.fit(days, values, targets, calendar))
        return _told(asked[key])

    yield fit
    if asked:
        with suppress(OSError):  # the night has its answers; the next one makes them again
            shelf.write_json(file, dict(list(asked.items())[-MOST:]))


def _key(days: Days, values: Floats, targets: Days, calendar: Calendar) -> str:
    digest = sha256(_maker().encode())
    for part in (days.astype("int64"), values.astype("float64"), targets.astype("int64")):
        digest.update(f"{part.size} ".encode() + part.tobytes())
    digest.update(repr(calendar).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _maker() -> str:
    """What makes a fit out of its points: the packages, and the text of our part."""
    text = b"".join(Path(str(module.__file__)).read_bytes() for module in (weekly_fit, scale))
    with suppress(PackageNotFoundError):  # then the fit itself says so
        versions = [version(name) for name in ("prophet", "holidays", "numpy")]
        return " ".join([*versions, sha256(text).hexdigest()])
    return ""


def _written(expected: Floats) -> str:
    return b64encode(expected.astype("float64").tobytes()).decode()


def _told(kept: Any) -> Floats:
    """What `_written` wrote; empty where it is something else."""
    try:
        return np.frombuffer(b64decode(kept, validate=True), dtype=np.float64)
    except (TypeError, ValueError):
        return np.empty(0)
