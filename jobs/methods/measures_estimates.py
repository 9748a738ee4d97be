"""Estimates before labels, their score-card, and their rows of `metrics`; from frames of additive counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from jobs.methods import estimation, estimator
from jobs.methods.definitions import BY_NAME
from jobs.methods.intervals import Estimate
from jobs.methods.measures import rows as metric_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from jobs.methods.estimation import Calibration, Expected

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

WINDOW_DAYS = 56
"""Newest mature days that calibrations and segments' records are made of."""
CONFUSION = ["n_true_positive", "n_false_positive", "n_false_negative", "n_true_negative"]
GROUP = ["day", "version", "segment"]
LABELLED = ["n_flagged", "n_passed", "n_flagged_positive", "n_passed_positive"]
NIGHTS_AT_ONCE = 64
AT_ONCE = 20_000
"""Parts worked on together, which bounds the memory."""
UNCALIBRATED = 0.1
"""Of a day's rows that may be of versions without calibration before the whole counts as uncalibrated."""


@dataclass(frozen=True)
class Mature:
    """What days whose last label age has passed say: `labels` per bin, `decisions` per segment."""

    labels: pd.DataFrame
    decisions: pd.DataFrame
    age: int


def estimates_of(histograms: pd.DataFrame, mature: Mature, columns: Sequence[str]) -> pd.DataFrame:
    """Value and deviation of every figure, per day, version and segment: day, version, segment, metric, basis, ...

    `histograms`: day, segment, version, bin, n_flagged, n_passed, no version being `all`. `columns`: the segments
    whose mix is reweighted.
    """
    if histograms.empty:
        return pd.DataFrame(columns=[*GROUP, "metric", "basis", "value", "n", "deviation", "n_known"])
    parts, flagged, passed = _parts(histograms)
    maps, place = _maps(parts, mature)
    known = maps.n[place]
    parts["rows"] = (flagged + passed).sum(axis=1)[parts["source"].to_numpy()]
    found = []
    for at in _chunks(parts["group"].to_numpy()):
        chunk, group = parts.iloc[at], parts["group"].to_numpy()[at]
        source = chunk["source"].to_numpy()
        figures = estimation.expected_figures(flagged[source], passed[source], maps.take(place[at]), group - group[0])
        found.append(_long(chunk, figures, "scores", known[at]))
    found += [_reweighted(parts.assign(known=known), column, columns, mature) for column in columns]
    return pd.concat([one for one in found if len(one)], ignore_index=True)


def _parts(histograms: pd.DataFrame) -> tuple[pd.DataFrame, Floats, Floats]:
    """Parts sorted by the group they count for (their version, and `all` if live), and counts (sources, bins)."""
    source = histograms.groupby(["day", "segment", "version"], sort=False).ngroup().to_numpy()
    at = source * estimation.BINS + histograms["bin"].to_numpy(dtype=np.int64)
    size = int(source.max()) + 1
    flagged, passed = (
        np.bincount(at, weights=histograms[name].astype(float), minlength=size * estimation.BINS)
        .reshape(size, estimation.BINS)
        .astype(np.float64)
        for name in ("n_flagged", "n_passed")
    )
    own = histograms[["day", "segment", "version"]].assign(source=source).drop_duplicates("source")
    own = own.rename(columns={"version": "member"})
    live = own[~own["member"].str.contains(":", regex=False)]
    parts = pd.concat([own.assign(version=own["member"]), live.assign(version="all")])
    parts = parts.sort_values([*GROUP, "member"], ignore_index=True)
    return parts.assign(group=parts.groupby(GROUP, sort=False).ngroup()), flagged, passed


def _maps(parts: pd.DataFrame, mature: Mature) -> tuple[Calibration, Counts]:
    """One calibration per night and version, and which of them each part has."""
    wanted = parts[["day", "member"]].drop_duplicates()
    labels, age = mature.labels, mature.age
    members = pd.Index(sorted(wanted["member"].unique()))
    origin = wanted["day"].min() - pd.Timedelta(age + WINDOW_DAYS, "D")
    span = int((wanted["day"].max() - origin) / estimator.DAY) + 1
    labels = labels[labels["version"].isin(members) & (labels["day"] >= origin)]
    counts = np.zeros((4, span, len(members), estimation.BINS))
    day = ((labels["day"] - origin) // estimator.DAY).to_numpy(dtype=np.int64)
    spot = day, members.get_indexer(labels["version"]), labels["bin"].to_numpy(dtype=np.int64)
    for kind, name in enumerate(LABELLED):
        np.add.at(counts[kind], spot, labels[name].to_numpy(dtype=np.float64))
    member = members.get_indexer(wanted["member"])
    flagged, passed, flagged_hits, passed_hits = _window(counts, wanted["day"], origin, age, member)
    maps = estimation.calibrate(flagged_hits + passed_hits, flagged + passed)
    maps = replace(
        maps, dispersion=_dispersion(counts, maps, ((wanted["day"] - origin) // estimator.DAY) - age, member)
    )
    number = pd.Series(np.arange(len(wanted)), index=pd.MultiIndex.from_frame(wanted))
    place = number.reindex(pd.MultiIndex.from_frame(parts[["day", "member"]])).to_numpy(dtype=np.int64)
    return maps, place


def _dispersion(counts: Floats, maps: Calibration, newest: pd.Series[int], member: Counts) -> dict[str, Floats]:
    """How much the mature days of each night vary, a few nights at once, which bounds the memory."""
    days = newest.to_numpy(dtype=np.int64)[:, None] - np.arange(WINDOW_DAYS)
    made: dict[str, list[Floats]] = {name: [] for name in estimation.FIGURES}
    for at in range(0, len(days), NIGHTS_AT_ONCE):
        few = slice(at, at + NIGHTS_AT_ONCE)
        seen = counts[:, np.maximum(days[few], 0), member[few, None]] * (days[few] >= 0)[None, :, :, None]
        for name, wide in estimation.dispersion(seen, maps.chance[few]).items():
            made[name].append(wide)
    return {name: np.concatenate(parts) for name, parts in made.items()}


def _window(counts: Floats, days: pd.Series[pd.Timestamp], origin: pd.Timestamp, age: int, member: Counts) -> Floats:
    """Sums over the newest mature days of each night; counts (kinds, days, members, cells), whole numbers."""
    running = np.cumsum(np.pad(counts, ((0, 0), (1, 0), (0, 0), (0, 0))), axis=1)
    night = ((days - origin) // estimator.DAY).to_numpy(dtype=np.int64)
    end = night - age + 1
    return np.asarray(running[:, end, member] - running[:, np.maximum(end - WINDOW_DAYS, 0), member])


def _chunks(group: Counts) -> list[slice]:
    """Slices of about `AT_ONCE` parts that never split a group."""
    cuts = [0]
    while cuts[-1] < len(group):
        at = min(cuts[-1] + AT_ONCE, len(group))
        while at < len(group) and group[at] == group[at - 1]:
            at += 1
        cuts.append(at)
    return [slice(first, last) for first, last in pairwise(cuts)]


def _reweighted(parts: pd.DataFrame, column: str, columns: Sequence[str], mature: Mature) -> pd.DataFrame:
    """Whole days from the mix of one segment and the record of its values."""
    mine = parts[_values_of(column, columns, parts["segment"])].sort_values(["day", "version", "segment", "member"])
    if mine.empty:
        return pd.DataFrame()
    record = mature.decisions
    record = record[_values_of(column, columns, record["segment"]) & record["version"].isin(mine["member"])]
    origin = mine["day"].min() - pd.Timedelta(mature.age + WINDOW_DAYS, "D")
    record = record[record["day"] >= origin]
    # values that no row of the night has count for the whole all the same
    own = pd.MultiIndex.from_frame(mine[["member", "segment"]])
    past = pd.MultiIndex.from_arrays([record["version"], record["segment"]], names=own.names)
    series = own.union(past).unique().sort_values()
    at = series.get_indexer(past)
    span = int((mine["day"].max() - origin) / estimator.DAY) + 1
    counts = np.zeros((1, span, len(series), 4))
    day = ((record["day"] - origin) // estimator.DAY).to_numpy(dtype=np.int64)
    np.add.at(counts[0], (day, at), record[CONFUSION].to_numpy(dtype=np.float64))
    which = series.get_indexer(own)
    known = _window(counts, mine["day"], origin, mature.age, which)[0]
    members, member = np.unique(mine["member"], return_inverse=True)
    per_member = np.zeros((1, span, len(members), 4))
    owner = np.searchsorted(members, series.get_level_values(0).to_numpy())
    for number in range(len(members)):
        per_member[0, :, number] = counts[0][:, owner == number].sum(axis=1)
    whole = _window(per_member, mine["day"], origin, mature.age, member)[0]
    group = np.asarray(mine.groupby(["day", "version"], sort=False).ngroup(), dtype=np.int64)
    figures = estimation.reweighted_figures(mine["rows"].to_numpy(), known, whole, group)
    told = mine.assign(segment="all", group=group)
    return _long(told, figures, column, np.minimum(mine["known"].to_numpy(), whole.sum(axis=1)))


def _values_of(column: str, columns: Sequence[str], segments: pd.Series[str]) -> pd.Series[bool]:
    """Which segments are values of this column alone, and not crossed with another.

    >>> names = pd.Series(["country=FR", "country=FR,device=phone", "device=phone"])
    >>> _values_of("country", ["country", "device"], names).tolist()
    [True, False, False]
    """
    alone = segments.str.startswith(f"{column}=")
    for other in columns:
        alone &= ~segments.str.contains(f",{other}=", regex=False)
    return alone


def _long(parts: pd.DataFrame, figures: dict[str, Expected], basis: str, known: Floats) -> pd.DataFrame:
    """One row per group and figure; a group knows as many labels as its least known version, if that one matters."""
    frame = parts[GROUP].assign(known=known, group=parts["group"].to_numpy())
    frame["weight"], frame["poor"] = parts["rows"], parts["rows"].where(known < estimator.LABELS_LEAST, 0.0)
    frame["rich"] = frame["known"].where(known >= estimator.LABELS_LEAST)
    by = frame.groupby("group", sort=False)
    first = by.first()
    uncalibrated = (by["poor"].sum() > UNCALIBRATED * by["weight"].sum()) | first["rich"].isna()
    n_known = by["known"].min().where(uncalibrated, by["rich"].min())
    keys = first[GROUP].reset_index(drop=True)
    return pd.concat(
        [
            keys.assign(
                metric=name, basis=basis, value=one.value, n=one.n, deviation=one.deviation, n_known=n_known.to_numpy()
            )
            for name, one in figures.items()
        ],
        ignore_index=True,
    )


def judged(new: pd.DataFrame, past: pd.DataFrame, figures: pd.DataFrame, age: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The estimates with their intervals, and the score-card of their nights (tables estimates, estimator_card).

    `past`: whole-day estimates of earlier nights; `figures`: what labels said at the last age (day, version, metric,
    value), of which every night uses only what it knew.
    """
    known = estimator.evaluated(_whole_days(past, new), figures)
    made = estimator.with_interval(new, estimator.widening(new, known, age))
    known = estimator.evaluated(_whole_days(past, made), figures)
    return made, estimator.card(made[made["segment"] == "all"], known, age)


def _whole_days(past: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    whole = new[new["segment"] == "all"]
    return pd.concat([past, whole], ignore_index=True) if len(past) else whole


def of_estimates(made: pd.DataFrame, card: pd.DataFrame, age: int, min_rows: int) -> list[pd.DataFrame]:
    """Rows of metrics: `<figure>_estimated`, and `<figure>_reweighted` with the segment's name as feature."""
    series = ["day", *estimator.SERIES]
    doubt = pd.Series(estimator.doubts(card), index=pd.MultiIndex.from_frame(card[series]), dtype=object)
    told = made.assign(doubt=doubt.reindex(pd.MultiIndex.from_frame(made[series])).to_numpy())
    word = "labels of age " + str(age) + f" known, {estimator.LABELS_LEAST} needed"
    poor = told["n_known"] < estimator.LABELS_LEAST
    text = told["n_known"].astype("int64").astype("str") + " " + word
    told["doubt"] = told["doubt"].where(~poor, text)
    parts = []
    for (metric, direct), part in told.groupby(["metric", told["basis"] == "scores"], sort=True):
        name = f"{metric}_estimated" if direct else f"{metric}_reweighted"
        keys = part.assign(feature="" if direct else part["basis"])
        parts.append(_rows(name, keys, min_rows))
    return parts


def _rows(name: str, part: pd.DataFrame, min_rows: int) -> pd.DataFrame:
    value = part["value"].to_numpy(dtype=np.float64)
    reason = np.full(len(part), None, dtype=object)
    reason[np.isnan(value)] = f"no {BY_NAME[name].n}"
    lower, upper = (
        np.where(np.isnan(value), np.nan, part[side].to_numpy(dtype=np.float64)) for side in ("lower", "upper")
    )
    estimate = Estimate(value, part["n"].to_numpy(dtype=np.int64), lower, upper, reason)
    made = metric_rows(name, part, estimate, min_rows)
    doubt = part["doubt"].to_numpy(dtype=object)
    fine = (made["state"] == "final").to_numpy()
    held = fine & pd.notna(doubt)
    made.loc[fine, "state"] = "estimated"
    made.loc[held, "state"] = "not_evaluated"
    made["reason"] = np.where(held, doubt, made["reason"].to_numpy(dtype=object))
    return made
