"""Definitions of the data layer beyond PSI: distances from the reference, what features hold, how deliveries came."""

from __future__ import annotations

from jobs.methods.definition import Definition

_LIMIT = " while nothing changes, for this many rows; the night's error rate is shared between all series of its kind."
_SIMULATED = "simulated false rate at n = 50 to 5000"

DISTANCES: tuple[Definition, ...] = (
    Definition(
        "js", "data",
        "Jensen-Shannon distance (base 2) from the reference, in its bins, missing and unseen values being bins too: "
        "0 is the same shape, 1 shares no bin.",
        harm="up", scale="rate", interval="", n="rows",
        source="Endres and Schindelin (2003); scipy.spatial.distance.jensenshannon", needs="distances",
        witness="scipy; NannyML's 0.50",
    ),
    Definition(
        "js_null_limit", "data", "What the Jensen-Shannon distance stays under" + _LIMIT,
        harm="both", scale="rate", interval="", n="rows",
        source="Lin (1991); a gamma law with Poisson moments of each bin", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "ks", "data",
        "Kolmogorov-Smirnov D: the largest gap between the shares up to any edge of 40 parts or more, missing values "
        "counting below all others. Numeric features only.",
        harm="up", scale="rate", interval="bounds of the D of the rows themselves", n="rows",
        source="scipy.stats.ks_2samp", needs="distances", witness="scipy, which lies within the bounds",
    ),
    Definition(
        "ks_p", "data", "Chance of at least this D while nothing changes; cautious, because D is taken at edges only.",
        harm="down", scale="rate", interval="", n="rows",
        source="Smirnov (1939), asymptotic; scipy.stats.ks_2samp", needs="distances",
        witness=f"scipy; {_SIMULATED}",
    ),
    Definition(
        "wasserstein", "data",
        "How far a value has to go on average to make the shape the reference's, in its standard deviations. Values "
        "beyond its 0.1 % and 99.9 % values stand at these; missing ones are left out. Numeric features only.",
        harm="up", scale="positive", interval="", n="finite values",
        source="scipy.stats.wasserstein_distance", needs="distances", witness="scipy",
    ),
    Definition(
        "wasserstein_null_limit", "data", "What the scaled Wasserstein distance stays under" + _LIMIT,
        harm="both", scale="positive", interval="", n="finite values",
        source="Gaussian concentration: Ledoux and Talagrand (1991)", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "wasserstein_units", "data", "The Wasserstein distance in the feature's own unit.",
        harm="up", scale="positive", interval="", n="finite values",
        source="scipy.stats.wasserstein_distance", needs="distances", witness="scipy",
    ),
    Definition(
        "wasserstein_units_null_limit", "data",
        "What the Wasserstein distance in the feature's unit stays under" + _LIMIT,
        harm="both", scale="positive", interval="", n="finite values",
        source="Gaussian concentration: Ledoux and Talagrand (1991)", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "chi2", "data", "Chi-square statistic of the day's and the reference's rows per bin; it grows with the rows.",
        harm="up", scale="positive", interval="", n="rows",
        source="Pearson (1911); scipy.stats.chi2_contingency", needs="distances", witness="scipy",
    ),
    Definition(
        "chi2_p", "data",
        "Chance of at least this statistic by the chi-square law, which is too small where few rows are expected in a "
        "bin; the limit is not.",
        harm="down", scale="rate", interval="", n="rows",
        source="scipy.stats.chi2_contingency", needs="distances", witness="scipy",
    ),
    Definition(
        "chi2_null_limit", "data", "What the chi-square statistic stays under" + _LIMIT,
        harm="both", scale="positive", interval="", n="rows",
        source="a gamma law with Poisson moments of each bin", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "l_infinity", "data", "The largest change of any one bin's share.",
        harm="up", scale="rate", interval="", n="rows",
        source="the maximum norm", needs="distances", witness="NannyML's 0.14",
    ),
    Definition(
        "l_infinity_null_limit", "data", "What the largest change of a share stays under" + _LIMIT,
        harm="both", scale="rate", interval="", n="rows",
        source="Bonferroni over the bins", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "hellinger", "data", "Hellinger distance from the reference: 0 is the same shape, 1 shares no bin.",
        harm="up", scale="rate", interval="", n="rows",
        source="Hellinger (1909)", needs="distances", witness="by its other formula, sqrt(1 - sum(sqrt(p q)))",
    ),
    Definition(
        "hellinger_null_limit", "data", "What the Hellinger distance stays under" + _LIMIT,
        harm="both", scale="rate", interval="", n="rows",
        source="a gamma law with Poisson moments of each bin", needs="distances", witness=_SIMULATED,
    ),
    Definition(
        "mean_shift", "data",
        "(Mean - mean of the reference) / its standard deviation, of values held within its 0.1 % and 99.9 % values. "
        "Numeric features only.",
        harm="both", scale="real", interval="normal", n="finite values",
        source="the field's tutorials", needs="distances", witness="numpy, on the same values held",
    ),
    Definition(
        "model_drift", "data",
        "Jensen-Shannon distances of the features, weighted by the importance that the spec gives them.",
        harm="up", scale="rate", interval="", n="rows",
        source="a weighted mean", needs="distances", witness="by hand",
    ),
    Definition(
        "model_drift_null_limit", "data",
        "What it stays under while nothing changes: the same mean of the features' limits.",
        harm="both", scale="rate", interval="", n="rows",
        source="Bonferroni over the features", needs="distances", witness="by hand",
    ),
)  # fmt: skip

CONTENT: tuple[Definition, ...] = (
    Definition(
        "outlier_rate", "data", "Share of the feature's values that are over 3 sigma from the reference's mean.",
        harm="up", scale="rate", interval="Wilson", n="values",
        source="the three-sigma rule", needs="distances", witness="numpy",
    ),
    Definition(
        "out_of_range_rate", "data",
        "Share of the feature's values beyond the reference's 0.1 % and 99.9 % values; 0.2 % is usual.",
        harm="up", scale="rate", interval="Wilson", n="values",
        source="numpy.quantile, inverted_cdf", needs="distances", witness="numpy",
    ),
    Definition(
        "unseen_rate", "data", "Share of the day's predictions whose category the reference never had.",
        harm="up", scale="rate", interval="Wilson", n="rows",
        source="a proportion", needs="distances", witness="by hand",
    ),
    Definition(
        "improper_score_rate", "data",
        "Share of the day's scores that are not between 0 and 1. They are no probabilities: figures of scores (mean, "
        "Brier, log loss, calibration, AUC, estimates) are told without them, drift and decisions with them.",
        harm="up", scale="rate", interval="Wilson", n="scores",
        source="a proportion", needs="deliveries", witness="by hand",
    ),
    Definition(
        "constant_columns", "data", "Features (and score, decision) that have one value all day, missing ones aside.",
        harm="up", scale="count", interval="", n="rows",
        source="a count", needs="distances", witness="by hand",
    ),
    Definition(
        "constant_column", "data", "1 for each of them, on its days; no row on other days.",
        harm="up", scale="count", interval="", n="rows",
        source="a count", needs="distances", witness="by hand",
    ),
    Definition(
        "empty_columns", "data", "Features (and score, decision) without any value all day.",
        harm="up", scale="count", interval="", n="rows",
        source="a count", needs="distances", witness="by hand",
    ),
    Definition(
        "empty_column", "data", "1 for each of them, on its days; no row on other days.",
        harm="up", scale="count", interval="", n="rows",
        source="a count", needs="distances", witness="by hand",
    ),
)  # fmt: skip

DELIVERIES: tuple[Definition, ...] = (
    Definition(
        "duplicate_rate", "data",
        "Share of the delivered rows that repeat an id and were dropped; other sources than predictions by segment.",
        harm="up", scale="rate", interval="Wilson", n="delivered rows",
        source="a proportion", needs="deliveries", witness="by hand",
    ),
    Definition(
        "misdated_rate", "data", "Share of the delivered predictions whose timestamp is not of the delivery's day.",
        harm="up", scale="rate", interval="Wilson", n="delivered rows",
        source="a proportion", needs="deliveries", witness="by hand",
    ),
    Definition(
        "delivery_age", "data", "Days since the newest delivery of the source; 0 where the day has one.",
        harm="up", scale="count", interval="", n="deliveries so far",
        source="a difference of days", needs="deliveries", witness="by hand", guarded=False,
    ),
    Definition(
        "schema_changes", "data",
        "Columns that are new, gone or of another kind than in the delivery before: number, text, boolean or time. In "
        "CSV and JSON lines every column is text, so only its coming and going shows.",
        harm="up", scale="count", interval="", n="columns",
        source="a count", needs="deliveries", witness="by hand", guarded=False,
    ),
    *(
        Definition(
            f"column_{change}", "data", f"1 for each column (in `feature`) that {words}; no row on other days.",
            harm="up", scale="count", interval="", n="columns",
            source="a count", needs="deliveries", witness="by hand", guarded=False,
        )
        for change, words in (
            ("new", "the delivery before did not have"),
            ("gone", "only the delivery before had"),
            ("retyped", "was of another kind in the delivery before"),
        )
    ),
)  # fmt: skip

DATA = (*DISTANCES, *CONTENT, *DELIVERIES)
