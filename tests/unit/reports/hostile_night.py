"""Names that data may bring and a page must not obey."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.reports import sample_night

if TYPE_CHECKING:
    import pandas as pd

HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "مرحبا\u202eevil\u202c",
    "🦇👩‍💻 中文",
    "x" * 10_000,
    "a\nb\x00c\x1b[31m",
    "</title></svg><b>",
)


def hostile(name: str) -> dict[str, pd.DataFrame]:
    """The story with that name wherever a name comes from data."""
    frames = sample_night.frames()
    swap = {"browsing_time": name, "customer=new": f"customer={name}", "v2": name, "labels": name}
    for table in ("metrics", "contributions", "verdicts", "deliveries", "arrival_statistics"):
        columns = set(frames[table]) & {"feature", "segment", "version", "source"}
        frames[table] = frames[table].assign(**{c: frames[table][c].replace(swap) for c in columns})
    bins = frames["contributions"]
    frames["contributions"] = bins.assign(label=bins["label"].replace({"≤ 1.5": name}))
    frames["incidents"] = frames["incidents"].assign(title=name, scope=name)
    frames["decisions"] = frames["decisions"].assign(reason=name, action=name)
    frames["verdicts"] = frames["verdicts"].assign(reason=name, rule=name)
    return frames
