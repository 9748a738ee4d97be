"""Frames of a shop's nights, made up but plausible, with the columns of `jobs.tables`.

The story: `browsing_time` leaves its reference 18 days before the end; v2 goes live 40 days before the end; new
customers are served badly throughout; one day has no data at all; one incident is over, two are open.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache

import numpy as np
import pandas as pd

from jobs import tables
from jobs.spec import ModelSpec
from reports.history import TABLES

END = date(2025, 3, 12)
DAYS = 140
GAP = END - timedelta(days=21)
DRIFT = END - timedelta(days=18)
V2 = END - timedelta(days=40)
AGES = (7, 30)
NUMERIC = ("browsing_time", "basket_value", "pages", "days_since_visit", "discount")
CATEGORICAL = ("device", "channel", "country")
SEGMENTS = (
    *(f"country={name}" for name in ("DE", "FR", "PT", "ES", "IT", "NL", "PL")),
    *(f"customer={name}" for name in ("new", "returning")),
    *(f"device={name}" for name in ("phone", "desktop", "tablet")),
)
VERSIONS = {"all": 1.0, "v1": 0.7, "v2": 0.3, "shadow:v3": 1.0}


def spec() -> ModelSpec:
    """The shop's spec."""
    importance = dict(zip((*NUMERIC, *CATEGORICAL), (0.34, 0.2, 0.14, 0.1, 0.05, 0.09, 0.05, 0.03), strict=True))
    kinds = dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORICAL, "categorical")
    return ModelSpec.model_validate(
        {
            "model": "shop",
            "description": "Will this visit end in a purchase?",
            "owner": "growth team",
            "timezone": "Europe/Lisbon",
            "predictions": {"path": "predictions/{day}.parquet"},
            "labels": {"path": "labels/{day}.parquet", "ages": AGES},
            "outcomes": {"path": "outcomes/{day}.parquet", "columns": {"value": "revenue"}, "unit": "EUR"},
            "features": {name: {"kind": kind, "importance": importance[name]} for name, kind in kinds.items()},
            "segments": ["country", "customer", "device"],
        }
    )


def empty() -> dict[str, pd.DataFrame]:
    """Every table a report reads, without a row."""
    return {name: pd.DataFrame(columns=list(tables.BY_NAME[name].columns)) for name in TABLES}


def frames(days: int = DAYS) -> dict[str, pd.DataFrame]:
    """The story's tables, `days` days long, as known by END."""
    return dict(_frames(days))


@cache
def _frames(days: int, seed: int = 7) -> dict[str, pd.DataFrame]:
    random = np.random.default_rng(seed)
    calendar = pd.date_range(END - timedelta(days=days - 1), END)
    metrics = _metrics(calendar, random)
    return {
        "metrics": metrics,
        "contributions": _contributions(calendar),
        "verdicts": _verdicts(metrics, random),
        "incidents": _incidents(),
        "decisions": _decisions(),
        "deliveries": _deliveries(calendar, random),
        "arrival_statistics": _arrivals(calendar, random),
        "reference_bins": _reference(),
    }


def _framed(name: str, **columns: object) -> pd.DataFrame:
    """A table in its columns' order; columns that are not given are NULL."""
    frame = pd.DataFrame(columns)
    return frame.reindex(columns=list(tables.BY_NAME[name].columns))


def _metric(
    calendar: pd.DatetimeIndex, metric: str, layer: str, value: np.ndarray, n: np.ndarray, **where: object
) -> pd.DataFrame:
    """One series; shares get their Wilson-like interval, thin days are not evaluated, the gap has no rows."""
    lower = upper = np.full(len(calendar), np.nan)
    if metric in {"accuracy", "recall", "precision", "conversion", "coverage", "missing_rate"}:
        apart = 1.96 * np.sqrt(np.clip(value * (1 - value), 1e-6, None) / np.maximum(n, 1))
        lower, upper = np.clip(value - apart, 0, 1), np.clip(value + apart, 0, 1)
    thin = n < 30
    frame = _framed(
        "metrics", model="shop", day=calendar, layer=layer, metric=metric, value=np.where(thin, np.nan, value), n=n,
        lower=np.where(thin, np.nan, lower), upper=np.where(thin, np.nan, upper),
        state=np.where(thin, "not_evaluated", "final"),
        reason=[f"{int(k)} rows, 30 are needed" if t else None for k, t in zip(n, thin, strict=True)],
    )  # fmt: skip
    known = {"version": "all", "feature": "", "segment": "all", "label_age": pd.NA} | where
    frame = frame.assign(**known)
    age = 0 if known["label_age"] is pd.NA else int(str(known["label_age"]))
    here = (frame["day"] != pd.Timestamp(GAP)) & (frame["day"] + pd.Timedelta(days=age) <= pd.Timestamp(END))
    if known["version"] == "v2":
        here &= frame["day"] >= pd.Timestamp(V2)
    return frame[here]


def _metrics(calendar: pd.DatetimeIndex, random: np.random.Generator) -> pd.DataFrame:
    """Every series of the shop."""
    size, weekly = len(calendar), np.sin(np.arange(len(calendar)) * 2 * np.pi / 7)
    volume = np.round(18_000 + 2500 * weekly + random.normal(0, 500, size))
    drifting = np.clip((np.arange(size) - (size - 19)) / 10, 0, 1)
    out = []

    def add(metric: str, layer: str, value: np.ndarray, n: np.ndarray, **where: object) -> None:
        out.append(_metric(calendar, metric, layer, np.asarray(value), np.asarray(n), **where))

    for version, part in VERSIONS.items():
        n = np.round(volume * part)
        add("volume", "data", n, n, version=version)
        add("score_mean", "model", 0.21 + 0.004 * weekly + random.normal(0, 0.003, size), n, version=version)
        slow = 190.0 * ((np.arange(size) >= size - 63) & (np.arange(size) <= size - 59))
        for percent, level in ((50, 60), (95, 180), (99, 310)):
            latency = level * (1 + 0.04 * weekly + random.normal(0, 0.02, size)) + slow
            add(f"latency_p{percent}", "service", latency, n, version=version)
        _add_labelled(add, version, n, drifting, random)
    for feature in (*NUMERIC, *CATEGORICAL, "score", "decision"):
        moved = drifting * (0.62 if feature == "browsing_time" else (0.05 if feature == "pages" else 0))
        psi = 0.008 + moved + np.abs(random.normal(0, 0.004, size))
        add("psi", "data", psi, volume, feature=feature)
        add("psi_null_limit", "data", np.full(size, 0.0024), volume, feature=feature)
        add("missing_rate", "data", np.clip(0.012 + random.normal(0, 0.001, size), 0, 1), volume, feature=feature)
    for segment in SEGMENTS:
        n = np.round(volume * (0.0008 if segment == "device=tablet" else 0.12) * 0.6)
        level = (0.8 if segment == "customer=new" else 0.95) - 0.09 * drifting
        for metric, shift in (("accuracy", 0.0), ("recall", -0.2)):
            add(metric, "model", level + shift + random.normal(0, 0.008, size), n, segment=segment, label_age=7)
        add("conversion", "business", 0.05 + random.normal(0, 0.004, size), n, segment=segment, label_age=7)
    return pd.concat(out, ignore_index=True).astype({"label_age": "Int64"})


def _add_labelled(add, version: str, n: np.ndarray, drifting: np.ndarray, random: np.random.Generator) -> None:  # type: ignore[no-untyped-def]
    """The series that wait for labels, of one version."""
    size = len(n)
    better = 0.012 if version in {"v2", "shadow:v3"} else 0.0
    for age, covered in zip(AGES, (0.6, 0.92), strict=True):
        labelled = np.round(n * covered)
        add("coverage", "data", covered + random.normal(0, 0.01, size), n, version=version, label_age=age)
        for metric, level in (("accuracy", 0.945), ("recall", 0.71), ("precision", 0.66)):
            value = level + better - 0.09 * drifting + random.normal(0, 0.004, size)
            add(metric, "model", value, labelled, version=version, label_age=age)
        add(
            "roc_auc",
            "model",
            0.91 - 0.03 * drifting + random.normal(0, 0.003, size),
            labelled,
            version=version,
            label_age=age,
        )
        if version.startswith("shadow"):
            continue
        rate = 0.052 - (0.008 if version == "v2" else 0) + random.normal(0, 0.0015, size)
        add("conversion", "business", rate, labelled, version=version, label_age=age)
        add("value_per_prediction", "business", rate * 61, labelled, version=version, label_age=age)
        add("value", "business", rate * 61 * labelled, labelled, version=version, label_age=age)


def _verdicts(metrics: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Expected ranges of the main series, and the thresholds on PSI and accuracy."""
    whole = metrics[(metrics["segment"] == "all") & (metrics["version"] == "all")]
    ranged = whole[
        whole["metric"].isin(["volume", "score_mean", "latency_p95", "accuracy", "conversion", "value_per_prediction"])
    ]
    start = metrics["day"].min() + pd.Timedelta(days=28)
    ranged = ranged[ranged["day"] >= start]
    usual = ranged.groupby(["metric", "label_age"], dropna=False)["value"].transform(
        lambda s: s.rolling(21, 7).median().shift(1)
    )
    apart = usual * ranged["metric"].map({"volume": 0.25, "latency_p95": 0.15}).fillna(0.08)
    outside = (ranged["value"] - usual).abs() > apart
    one = ranged.assign(
        rule=ranged["metric"] + " outside expected", detector="prophet",
        expected=usual, lower=usual - apart, upper=usual + apart,
        verdict=np.where(usual.isna(), "not_evaluated", np.where(outside, "breach", "ok")), severity="warning",
        reason=np.where(usual.isna(), "7 days of history, 28 are needed", ""),
    )  # fmt: skip
    psi = whole[whole["metric"] == "psi"]
    two = psi.assign(
        rule="psi above 0.3", detector="bound", lower=np.nan, upper=0.3, severity="critical",
        verdict=np.where(psi["value"] > 0.3, "breach", "ok"), reason="",
    )  # fmt: skip
    parts = metrics[(metrics["segment"] != "all") & (metrics["metric"] == "accuracy")]
    three = parts.assign(
        rule="accuracy drop 10% by segment", detector="recent", lower=np.nan, upper=np.nan, severity="warning",
        verdict=np.where(parts["value"].isna(), "not_evaluated", "ok"), reason=parts["reason"].fillna(""),
    )  # fmt: skip
    every = pd.concat([one, two, three], ignore_index=True)
    every["night"] = every["day"] + pd.to_timedelta(every["label_age"].fillna(0).astype("int64"), unit="D")
    return every.reindex(columns=list(tables.BY_NAME["verdicts"].columns))


def _evidence(role: str, metric: str, value: float, rule: str, severity: str, **more: object) -> dict[str, object]:
    """One item as the incidents stage writes it."""
    age = more.get("label_age")
    last = str(END - timedelta(days=int(str(age)) if age else 0))
    whole = {"role": role, "metric": metric, "version": "all", "feature": "", "segment": "all", "label_age": None}
    return (
        whole | {"day": last, "value": value, "n": 17_800, "rule": rule, "severity": severity, "expected": None} | more
    )


def _stories() -> list[dict[str, object]]:
    """Two open, one over."""
    drift = [
        _evidence("cause", "psi", 0.628, "psi above 0.3", "critical", feature="browsing_time", reason="PSI 0.63"),
        _evidence("cause", "psi", 0.061, "psi above 0.2", "info", feature="pages"),
    ]
    outside = "accuracy outside expected"
    accuracy = [_evidence("effect", "accuracy", 0.861, outside, "warning", label_age=7, expected=0.942, n=10_700)]
    began, ended = END - timedelta(days=62), END - timedelta(days=58)
    days = {"day": str(began), "first_day": str(began), "last_day": str(ended)}
    slow = [_evidence("effect", "latency_p95", 390.0, "latency_p95 outside expected", "warning", expected=180.0) | days]
    names = ("incident", "severity", "title", "scope", "opened", "last", "evidence")
    rows = (
        ("drift", "critical", "browsing_time has drifted far from its reference", "behaviour",
         DRIFT + timedelta(days=6), END, drift),
        ("accuracy", "warning", "Accuracy at 7 days fell below its expected range", "behaviour",
         END - timedelta(days=4), END, accuracy),
        ("slow", "warning", "Answers were slow", "service", began, ended, slow),
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def _incidents() -> pd.DataFrame:
    """One row per incident and night of its life."""
    rows = []
    for story in _stories():
        opened, last = story["opened"], story["last"]
        nights = pd.date_range(opened, min(last + timedelta(days=3), END))
        quiet = np.maximum((nights - pd.Timestamp(last)).days, 0)
        state = np.where(quiet >= 3, "resolved", np.where(nights == pd.Timestamp(opened), "opened", "ongoing"))
        told = {name: story[name] for name in ("incident", "severity", "title", "scope")}
        days = {"opened": pd.Timestamp(opened), "last_breach": np.minimum(nights, pd.Timestamp(last))}
        row = {"model": "shop", "night": nights, "state": state, "quiet_nights": quiet} | told | days
        rows.append(_framed("incidents", **row, evidence=json.dumps(story["evidence"])))
    return pd.concat(rows, ignore_index=True)


def _decisions() -> pd.DataFrame:
    """One retraining asked for, one held by its cool-down."""
    return _framed(
        "decisions", model="shop", night=[pd.Timestamp(DRIFT + timedelta(days=6)), pd.Timestamp(END)],
        key=["shop:retrain:drift", "shop:retrain:accuracy"], incident=["drift", "accuracy"], action="retrain",
        outcome=["requested", "held"],
        reason=["PSI of browsing_time 0.46 is above 0.3 for 2 nights; 84,210 labels of 28 days are at hand",
                "a retrain was requested 8 nights ago; the cool-down is 14 days"], payload="{}",
    )  # fmt: skip


def _deliveries(calendar: pd.DatetimeIndex, random: np.random.Generator) -> pd.DataFrame:
    """Three sources a day; the gap's predictions are missing."""
    out = []
    for source in ("predictions", "labels", "outcomes"):
        gap = (calendar == pd.Timestamp(GAP)) & (source == "predictions")
        came = {
            "status": np.where(gap, "missing", "delivered"),
            "files": np.where(gap, 0, 1),
            "rows": np.where(gap, 0, random.integers(15_000, 21_000, len(calendar))),
            "duplicates": random.binomial(1, 0.1, len(calendar)) * 12,
            "reason": np.where(gap, "no file for this day", None),
        }
        out.append(_framed("deliveries", day=calendar, source=source, misdated=0, **came))
    return pd.concat(out, ignore_index=True)


def _arrivals(calendar: pd.DatetimeIndex, random: np.random.Generator) -> pd.DataFrame:
    """Labels and outcomes that came in, with a few corrections and unknown ids."""
    out = []
    for source in ("labels", "outcomes"):
        highest = {"n": 19_000, "n_corrected": 40, "n_unknown": 9}
        counts = {name: random.integers(most // 2, most, len(calendar)) for name, most in highest.items()}
        out.append(_framed("arrival_statistics", known_day=calendar, source=source, **counts))
    return pd.concat(out, ignore_index=True)


def _shares(feature: str, at: float) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Bins of a feature with expected and observed shares; `at`: how far the drift has come, 0..1."""
    if feature == "device":
        labels, expected = ["phone", "desktop", "tablet", "other", "missing"], np.array([0.55, 0.36, 0.07, 0.01, 0.01])
        return labels, expected, expected
    edges = ("≤ 1.5", "1.5 – 3", "3 – 4.5", "4.5 – 6", "6 – 8", "8 – 10", "10 – 12", "12 – 15", "15 – 20", "> 20")
    expected = np.full(10, 0.1)
    moved = (
        np.array([0.28, 0.24, 0.16, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.01])
        if feature == "browsing_time"
        else expected
    )
    return list(edges), expected, expected * (1 - at) + moved * at


def _contributions(calendar: pd.DatetimeIndex) -> pd.DataFrame:
    """The last days' bins."""
    out = []
    for day in calendar[-30:]:
        at = float(np.clip((day - pd.Timestamp(DRIFT)).days / 10, 0, 1))
        for feature in (*NUMERIC, *CATEGORICAL[:1], "score"):
            labels, expected, observed = _shares(feature, at)
            out.append(
                _framed("contributions", day=day, version="all", feature=feature, bin=range(len(labels)), label=labels,
                        expected=expected * 500_000, observed=observed * 18_000,
                        contribution=(observed - expected) * np.log(observed / expected))
            )  # fmt: skip
    return pd.concat(out, ignore_index=True)


def _reference() -> pd.DataFrame:
    return _framed(
        "reference_bins", reference="all", feature=np.repeat(NUMERIC, 10), bin=np.tile(np.arange(10), len(NUMERIC)),
        kind="interval", n=50_000,
    )  # fmt: skip
