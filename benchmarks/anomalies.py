"""Detectors side by side, on simulated series with planted faults and on real labelled ones: docs/detection.md.

    python -m benchmarks.anomalies simulated [--seeds 11,12,13] [--fits mode|prophet] [--plain]
    python -m benchmarks.anomalies real [--from-point 15] [--fits mode|prophet]

Ours runs through `forecast.judge`, `accumulating.hear` and `budget.limits`, as a night does, with weekly refits.
Seeds below 100 are for tuning; later ones are judged once. `--fits mode` takes the mode of Prophet's posterior in
closed form (`benchmarks.fits`), a twentieth of the cost; `--plain` adds Prophet as its tutorials use it.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import anomalies_baselines as baselines
from benchmarks import anomalies_real as real
from benchmarks import anomalies_sim as sim
from benchmarks import fits
from jobs.methods import accumulating, budget, forecast, recurring, scale, shifts, weekly_fit
from jobs.periods import Period
from jobs.spec.judging import Detection

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobs.methods.forecast import Judged

SIDES = {"up": 1.0, "down": -1.0, "both": 0.0}
FITS = {"mode": fits.mode, "prophet": weekly_fit.fit}
AGES = (1, 7)
Told = list[tuple[np.ndarray, np.ndarray]]


def judge_seed(seed: int, how: str, changed: str = "") -> list[Judged]:
    """Every series of a seed, judged for the scored nights and the 200 before; `changed` names one ingredient less."""
    world = sim.world(seed, ages=AGES)
    events = {} if changed == "calendar" else world.events
    detection = Detection(events=events)
    if changed == "n":
        scale.sampling_variance = lambda *given: np.zeros(np.shape(given[1]))
    if changed == "mask":
        shifts.learnable = lambda *given: (given[1].copy(), np.isfinite(given[1]))
    if changed == "level":
        forecast.LEVEL_GAP, forecast.LEVEL_DAYS = 0, 28
    if changed == "year":
        weekly_fit.YEARLY_FROM = weekly_fit.SHAPED_FROM = 10**6
    if changed == "biweight":
        scale.biweight = scale.spread_about
    period = Period(world.scored.first - timedelta(days=sim.BEFORE), world.scored.last)
    return [forecast.judge(one.series, period, detection, FITS[how]) for one in world.watched]


def harmful(one: sim.Watched, reach: np.ndarray) -> np.ndarray:
    side = SIDES[one.direction]
    return np.abs(reach) if side == 0 else side * reach


def _as_others_reach(one: sim.Watched, harm: np.ndarray, detection: Detection) -> np.ndarray:
    days = one.series.days
    farther = recurring.farther(days, days + one.series.age, harm, detection)
    return recurring.comparable(harm, farther, detection.limit)


def ours(
    world: sim.World,
    judged: list[Judged],
    detection: Detection,
    alone: bool = False,
    sums: str = "all",
    beside: bool = True,
) -> Told:
    """Flags of our detector; `alone`: each series at its own limit; `sums`: which of several nights are heard."""
    reach = [_reach(one, result, sums) for one, result in zip(world.watched, judged, strict=True)]
    harm = [_as_others_reach(one, harmful(one, r), detection) for one, r in zip(world.watched, reach, strict=True)]
    limits = [np.full(h.shape, detection.limit) for h in harm]
    if not alone:
        for model in {one.model for one in world.watched}:
            where = [k for k, one in enumerate(world.watched) if one.model == model]
            limit = _limits([world.watched[k] for k in where], [harm[k] for k in where], detection, beside=beside)
            for k, part in zip(where, limit, strict=True):
                limits[k] = part
    return [(np.nan_to_num(h) > limit, np.nan_to_num(h)) for h, limit in zip(harm, limits, strict=True)]


def _limits(
    watched: list[sim.Watched], harm: list[np.ndarray], detection: Detection, *, beside: bool
) -> list[np.ndarray]:
    """The limits of one model's series, as `expected.budgeted` has them."""
    points = [len(part) for part in harm]
    days = np.concatenate([one.series.days for one in watched])
    nights = np.concatenate([one.series.days + one.series.age for one in watched])
    every = np.concatenate(harm)
    limit = budget.limits(nights, every, detection.false_alarms, detection.limit * (1 - budget.TOGETHER))
    if beside:
        names = list(dict.fromkeys(one.name for one in watched))
        series = np.repeat(np.arange(len(watched)), points)
        figure = np.repeat([names.index(one.name) for one in watched], points)
        near = budget.beside(series, figure, days, nights, np.nan_to_num(every) > limit)
        limit = np.where(near, np.minimum(limit, detection.limit * (1 - budget.BESIDE)), limit)
    return np.split(limit, np.cumsum(points)[:-1])


def _reach(one: sim.Watched, result: Judged, sums: str) -> np.ndarray:
    if sums == "all":
        return result.reach
    if sums == "none":
        return result.distance
    kept = (accumulating.EWMA, accumulating.SCATTER)
    try:
        if sums == "scatter":
            accumulating.EWMA = {}
        else:
            accumulating.SCATTER = {}
        return accumulating.hear(one.series.days, result.distance).reach
    finally:
        accumulating.EWMA, accumulating.SCATTER = kept


def simple(world: sim.World, detector: baselines.Detector, limit: float) -> Told:
    start = np.datetime64(world.scored.first)
    told = [harmful(one, detector(one.series, start)) for one in world.watched]
    return [(np.nan_to_num(score) > limit, np.nan_to_num(score)) for score in told]


def plain(world: sim.World) -> tuple[Told, Told]:
    """Prophet beyond two in-sample sigmas, and outside its own interval; late metrics at their last age only."""
    start = np.datetime64(world.scored.first)
    both: tuple[Told, Told] = ([], [])
    for one in world.watched:
        empty = np.full(one.series.value.shape, np.nan)
        skipped = one.name in world.late and one.series.age != AGES[-1]
        scores = (empty, empty) if skipped else baselines.plain_prophet(one.series, start)
        for told, score, limit in zip(both, scores, (2.0, 1.0), strict=True):
            told.append((np.nan_to_num(harmful(one, score)) > limit, np.nan_to_num(score)))
    return both


def row(name: str, worlds: list[sim.World], told: list[Told]) -> dict[str, object]:
    """One line of the table: figures of the scorer, pooled over seeds."""
    figures, delays, kinds = [], [], {}
    for world, flags in zip(worlds, told, strict=True):
        figure, events, _ = world.evaluator.score(sim.flags(world, flags), detail=True)
        figures.append(figure)
        core = events[events["kind"] != "missing"]
        delays.append(core["delay"].dropna())
        for kind, group in core.groupby("kind"):
            hit, of = kinds.get(kind, (0, 0))
            kinds[kind] = (hit + int(group["hit"].sum()), of + len(group))
    found, events_, false, years = (
        sum(figure[key] for figure in figures) for key in ("tp", "events", "fa_episodes", "series_years")
    )
    precision, recall = found / max(found + false, 1), found / events_
    return {
        "detector": name,
        "event F1": round(2 * precision * recall / max(precision + recall, 1e-9), 2),
        "false alarms a series and year": round(false / years, 2),
        "found": f"{found} of {events_}",
        **{kind: f"{kinds[kind][0]} of {kinds[kind][1]}" for kind in ("spike", "shift", "ramp", "variance", "season")},
        "median delay": f"{pd.concat(delays).median():.0f} days",
        "F1 by seed": " ".join(f"{figure['F1']:.2f}" for figure in figures),
    }


def simulated(seeds: list[int], how: str, with_plain: bool, ablations: bool) -> pd.DataFrame:
    worlds = [sim.world(seed, ages=AGES) for seed in seeds]
    # Workers are spawned anew for each variant: one that takes an ingredient out must not leave it out for the next.
    judged = _all_seeds(seeds, how, "")
    detection = Detection()
    both = list(zip(worlds, judged, strict=True))
    lines = [row("ours", worlds, [ours(w, j, detection) for w, j in both])]
    if ablations:
        variants: dict[str, Callable[[sim.World, list[Judged]], Told]] = {
            "ours, single nights only": partial(ours, detection=detection, sums="none"),
            "ours, no EWMA": partial(ours, detection=detection, sums="scatter"),
            "ours, no scatter": partial(ours, detection=detection, sums="ewma"),
            "ours, each series by itself at 4.0": partial(ours, detection=detection, alone=True),
            "ours, no figure beside another": partial(ours, detection=detection, beside=False),
            "ours, every time told": partial(ours, detection=Detection(recurring=0)),
            **{
                f"ours, budget {b} a week": partial(ours, detection=Detection(false_alarms=b))
                for b in (0.01, 0.03, 0.05)
            },
        }
        lines += [row(name, worlds, [variant(w, j) for w, j in both]) for name, variant in variants.items()]
        for changed in ("n", "calendar", "mask", "level", "year", "biweight"):
            less = _all_seeds(seeds, how, changed)
            lines.append(
                row(f"ours, no {changed}", worlds, [ours(w, j, detection) for w, j in zip(worlds, less, strict=True)])
            )
    lines += [
        row(name, worlds, [simple(w, detector, limit) for w in worlds])
        for name, (detector, limit) in baselines.SIMPLE.items()
    ]
    if with_plain:
        sigma, interval = zip(*[plain(world) for world in worlds], strict=True)
        lines.append(row("Prophet, beyond 2 in-sample sigmas", worlds, list(sigma)))
        lines.append(row("Prophet, outside its 99 % interval", worlds, list(interval)))
    return pd.DataFrame(lines)


def _all_seeds(seeds: list[int], how: str, changed: str) -> list[list[Judged]]:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return list(pool.map(partial(judge_seed, how=how, changed=changed), seeds))


RATES = (0.4, 1.0, 2.0)
"""False alarms a hundred points at which detectors of the real series are compared."""


def labelled(begin: int, how: str) -> pd.DataFrame:
    """Real daily series judged from position `begin` on: each detector as it usually is, and at the same rates."""
    told = {"ours": [_judge_real(one, FITS[how]) for one in real.daily()]}
    told |= {
        name: [detector(one.series, one.series.days[real.BEGIN]) for one in real.daily()]
        for name, (detector, _) in baselines.SIMPLE.items()
    }
    sigma, interval = zip(
        *[
            baselines.plain_prophet(one.series, one.series.days[28 if len(one.series.days) > 28 else 14])
            for one in real.daily()
        ],
        strict=True,
    )
    told |= {"Prophet, in-sample sigmas": list(sigma), "Prophet, its 99 % interval": list(interval)}
    usual = {"ours": 4.0} | {name: limit for name, (_, limit) in baselines.SIMPLE.items()}
    usual |= {"Prophet, in-sample sigmas": 2.0, "Prophet, its 99 % interval": 1.0}
    lines = []
    for name, scores in told.items():
        figures = real.score(scores, usual[name], begin)
        line = {"detector": name, "usual threshold": usual[name], "found": round(figures.found, 2)}
        line |= {"points": round(figures.points, 2), "alarms": round(figures.alarms, 2)}
        for counted in ("points", "alarms"):
            shares = real.at_rates(scores, RATES, counted, begin)
            line |= {f"found at {rate} {counted}": round(share, 2) for rate, share in zip(RATES, shares, strict=True)}
        lines.append(line)
    return pd.DataFrame(lines)


def _judge_real(one: real.Labelled, fit: forecast.Fit) -> np.ndarray:
    days = one.series.days
    period = Period(days[0].item(), days[-1].item())
    reach = np.abs(forecast.judge(replace(one.series), period, Detection(), fit).reach)
    return reach / recurring.farther(days, days, reach, Detection())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["simulated", "real"])
    parser.add_argument("--seeds", default="11,12,13")
    parser.add_argument("--fits", choices=sorted(FITS), default="mode")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--ablations", action="store_true")
    parser.add_argument("--from-point", type=int, default=real.BEGIN + 1, help="of real series, the first judged")
    given = parser.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    table = (
        labelled(given.from_point - 1, given.fits)
        if given.what == "real"
        else simulated(seeds, given.fits, given.plain, given.ablations)
    )
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for line in table.itertuples(index=False):
        print("| " + " | ".join(str(cell) for cell in line) + " |")


if __name__ == "__main__":
    main()
