"""Versions side by side, live and shadow; and business by version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jobs.language import say
from reports.history import TREND_DAYS, Known
from reports.index import Key
from reports.sections.figures import figure
from reports.series import Deploy, Line, Lines
from reports.text import plain
from reports.view import Panel, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES_MOST = 4
VERSIONS_MOST = 8


def versions_of(known: Known, ages: Sequence[int], outcome_ages: Sequence[int]) -> Panel:
    """A row a version: how much it answered, how right it was, what it earned, how fast it was."""
    label, outcome = list(ages[:1]), list(outcome_ages[:1])
    keys = [
        Key("volume"),
        Key("score_mean"),
        *(
            Key(metric, age=age)
            for age in label
            for metric in ("accuracy", "precision", "recall", "roc_auc", "mae", "rmse")
        ),
        *(Key("conversion", age=age) for age in outcome),
        Key("latency_p95"),
    ]
    return _panel(known, keys, known.versions(live=False))


def business_of(known: Known, outcome_ages: Sequence[int], unit: str) -> Panel:
    """A row a live version (a shadow's answers earn nothing): predictions, and conversion and value by outcome age."""
    metrics = ("conversion", "click_through", "lift", "lift_ratio", "value_per_prediction", "value")
    keys = [Key(metric, age=age) for age in outcome_ages[:2] for metric in metrics]
    if not any(len(known.figures(key).day) for key in keys):
        return Panel(())
    return _panel(known, [Key("volume"), *keys], [], unit)


def _panel(known: Known, keys: Sequence[Key], beside: Sequence[str], unit: str = "") -> Panel:
    """All together, then each version, for the keys of which any version has a row in view."""
    live = known.versions()
    versions = ["all", *live, *beside] if len(live) != 1 else [*live, *beside]
    told = versions[:VERSIONS_MOST]
    columns = [key for key in keys if any(len(known.figures(key._replace(version=v)).day) for v in told)]
    rows = (
        Row(
            say("all live") if version == "all" else plain(version.split(":", 1)[-1], 40),
            tuple(figure(known, key._replace(version=version), unit) for key in columns),
            role=plain(version.split(":", 1)[0], 20) if ":" in version else "",
        )
        for version in told
    )
    answered = tuple(row for row in rows if any(one and one.state != "absent" for one in row.figures))
    return Panel(tuple(columns), answered, max(len(versions) - VERSIONS_MOST, 0))


EARNED = frozenset({"conversion", "click_through", "lift", "lift_ratio", "value_per_prediction", "value"})
"""What only live versions earn."""


def lines_of(known: Known, key: Key, deploys: tuple[Deploy, ...], unit: str = "") -> Lines | None:
    """One line a version over the trend's days; None when fewer than two versions have any value."""
    beside = () if key.metric in EARNED else known.versions(live=False)
    first, last = known.night - TREND_DAYS + 1, known.night
    lines = [
        Line(
            plain(version, 24),
            known.figures(key._replace(version=version)).dense(first, last, "judged"),
            ":" in version,
        )
        for version in (*known.versions(), *beside)
    ]
    drawn = tuple(line for line in lines if np.isfinite(line.values).any())[-LINES_MOST:]
    return Lines(key.metric, "", first, last, drawn, deploys, unit) if len(drawn) > 1 else None


def percentiles_of(known: Known, deploys: tuple[Deploy, ...]) -> tuple[Lines, ...]:
    """The latency percentiles of all live versions in one chart; nothing when there is but one."""
    first, last = known.night - TREND_DAYS + 1, known.night
    names = ("latency_p50", "latency_p95", "latency_p99")
    lines = [
        Line(name.removeprefix("latency_"), known.figures(Key(name)).dense(first, last, "judged")) for name in names
    ]
    drawn = tuple(line for line in lines if np.isfinite(line.values).any())
    return (Lines("latency_p95", "Latency percentiles", first, last, drawn, deploys),) if len(drawn) > 1 else ()
