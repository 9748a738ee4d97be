"""Labels by age: what is known after 7 days, after 30, and how the same days looked at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.language import say
from reports.history import TREND_DAYS, Known
from reports.index import Key
from reports.sections.figures import figure
from reports.series import Deploy, Figure, Line, Lines
from reports.text import plain
from reports.view import AgeRow, Ages, Panel, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

METRICS = (
    "coverage", "accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc", "score_ks", "precision_at_10",
    "recall_at_10", "precision_macro", "recall_macro", "f1_macro", "precision_weighted", "recall_weighted",
    "f1_weighted", "mae", "rmse", "mape", "r2", "bias", "error_p05", "error_p50", "error_p95", "brier", "log_loss",
    "calibration_in_the_large", "ece", "ece_unweighted",
)  # fmt: skip
CHARTS = ("coverage", "accuracy", "recall", "mae")
AGES_MOST = 4
CLASSES_MOST = 20


def ages_of(known: Known, ages: Sequence[int], deploys: tuple[Deploy, ...]) -> Ages:
    """A row for each label age, and lines over the days by age, for the metrics that have any row in view."""
    here = [m for m in METRICS if any(len(known.figures(Key(m, age=age)).day) for age in ages)]
    rows = tuple(AgeRow(age, known.day_at(age), tuple(_figure(known, m, age) for m in here)) for age in ages)
    charts = tuple(_lines(known, m, ages[:AGES_MOST], deploys) for m in CHARTS if m in here and len(ages) > 1)
    return Ages(tuple(here), rows, charts)


def classes_of(known: Known, ages: Sequence[int]) -> Panel:
    """The classes of a multiclass model at the youngest label age, those with most labels first."""
    columns = [Key(metric, age=age) for age in ages[:1] for metric in ("class_precision", "class_recall", "class_f1")]
    names = sorted({key.feature for column in columns for key in known.family(column.metric, age=column.age)})
    rows = [Row(plain(name, 60), tuple(figure(known, key._replace(feature=name)) for key in columns)) for name in names]
    told = [row for row in rows if any(one and one.state != "absent" for one in row.figures)]
    told.sort(key=lambda row: (-max((one.n or 0.0) for one in row.figures if one), row.name))
    return Panel(tuple(columns), tuple(told[:CLASSES_MOST]), max(len(told) - CLASSES_MOST, 0))


def _figure(known: Known, metric: str, age: int) -> Figure | None:
    return figure(known, Key(metric, age=age))


def _lines(known: Known, metric: str, ages: Sequence[int], deploys: tuple[Deploy, ...]) -> Lines:
    """One line an age, over the trend's days and as many before as the oldest age drawn needs to be seen."""
    first, last = known.night - TREND_DAYS + 1 - max(ages), known.night
    lines = [
        Line(say("age {days}", days=age), known.figures(Key(metric, age=age)).dense(first, last, "judged"))
        for age in ages
    ]
    return Lines(metric, "", first, last, tuple(lines), deploys)
