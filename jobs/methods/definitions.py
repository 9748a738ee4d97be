"""Every metric that Nightjar stores, in one table: what it says, which change hurts, whose definition it is.

The stage takes layer and wording from here, the report its explanations, and `docs/metrics.md` is made of it.
"""

from __future__ import annotations

from jobs.methods.definition import Definition
from jobs.methods.definitions_business import BUSINESS
from jobs.methods.definitions_data import DATA
from jobs.methods.definitions_estimates import ESTIMATES
from jobs.methods.definitions_fairness import FAIRNESS
from jobs.methods.definitions_scores import SCORES, STABILITY
from jobs.methods.definitions_service import SERVICE, SYSTEM
from jobs.methods.definitions_tasks import CLASSES, ERRORS

_SKLEARN = "sklearn.metrics."

DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "volume", "data", "Predictions served on the day.",
        harm="both", scale="count", interval="", n="rows",
        source="a count",
        witness="by hand", additive=True, guarded=False,
    ),
    Definition(
        "missing_rate", "data", "Share of the day's predictions in which the feature has no value.",
        harm="up", scale="rate", interval="Wilson", n="rows",
        source="a proportion",
        needs="features", witness="by hand",
    ),
    Definition(
        "psi", "data",
        "Population stability index: how far the shape of the feature is from its reference, in the "
        "reference's bins, missing and unseen values being bins too. 0 is the same shape.",
        harm="up", scale="positive", interval="", n="rows",
        source="Siddiqi (2006), with +0.5 smoothing per bin",
        needs="features", witness="the textbook's 0.2079, popmon's tests, a hand-worked categorical case",
    ),
    Definition(
        "psi_null_limit", "data",
        "What the PSI stays under if nothing has changed, for this many rows: (1/n + 1/N) chi2(k - 1), exact for two "
        "bins. The night's error rate is shared between all its PSI series.",
        harm="both", scale="positive", interval="", n="rows",
        source="Yurdakul (2018); of two bins Fisher (1935)",
        needs="features", witness="scipy.stats.chi2; simulated false rate",
    ),
    Definition(
        "score_mean", "model", "Mean score of the day's predictions.",
        harm="both", scale="real", interval="normal", n="scored rows",
        source="the mean",
        witness="statsmodels zconfint_mean",
    ),
    *(
        Definition(
            f"latency_p{percent}", "service",
            f"Latency in milliseconds that {percent} % of the day's predictions stayed within (relative "
            "error at most 1 %).",
            harm="up", scale="positive", interval="order statistics", n="timed rows",
            source="DDSketch (2019); numpy.quantile, inverted_cdf", needs="latency", witness="numpy.quantile",
        )
        for percent in (50, 95, 99)
    ),
    Definition(
        "coverage", "model", "Share of the day's predictions whose label was known within the label age.",
        harm="down", scale="rate", interval="Wilson", n="rows",
        source="a proportion",
        needs="labels", witness="by hand",
    ),
    Definition(
        "accuracy", "model", "Share of right decisions among the labelled ones.",
        harm="down", scale="rate", interval="Wilson", n="labelled decisions",
        source=f"{_SKLEARN}accuracy_score",
        needs="labels", witness="scikit-learn; segments weighted by n make the whole",
    ),
    Definition(
        "precision", "model", "Share of true positives among the positive decisions.",
        harm="down", scale="rate", interval="Wilson", n="predicted positives",
        source=f"{_SKLEARN}precision_score",
        needs="labels", witness="scikit-learn",
    ),
    Definition(
        "recall", "model", "Share of the positive labels that were decided positive.",
        harm="down", scale="rate", interval="Wilson", n="positive labels",
        source=f"{_SKLEARN}recall_score",
        needs="labels", witness="scikit-learn",
    ),
    Definition(
        "f1", "model", "Harmonic mean of precision and recall.",
        harm="down", scale="rate", interval="Wilson of Jaccard's index, mapped",
        n="positive labels or decisions", source=f"{_SKLEARN}f1_score", needs="labels",
        witness="scikit-learn; simulated sampling error",
    ),
    Definition(
        "roc_auc", "model",
        "Chance that a positive scores above a negative, from 1000 score bins in which ties count half.",
        harm="down", scale="rate", interval="DeLong, logit", n="scored labels",
        source=f"{_SKLEARN}roc_auc_score",
        needs="labels", witness="scikit-learn, within the exact binning bound; DeLong pair by pair",
    ),
    Definition(
        "conversion", "business", "Share of predictions that led to a conversion within the age.",
        harm="down", scale="rate", interval="Wilson", n="predictions, or known outcomes",
        source="a proportion",
        needs="outcomes", witness="by hand",
    ),
    Definition(
        "value_per_prediction", "business", "Business value known within the age, per prediction.",
        harm="down", scale="real", interval="normal", n="predictions, or known outcomes",
        source="the mean",
        needs="outcomes", witness="statsmodels zconfint_mean",
    ),
    Definition(
        "value", "business", "Business value known within the age, in total.",
        harm="down", scale="real", interval="", n="predictions, or known outcomes",
        source="a sum",
        needs="outcomes", witness="by hand", additive=True, guarded=False,
    ),
    *SCORES,
    *STABILITY,
    *ESTIMATES,
    *CLASSES,
    *ERRORS,
    *FAIRNESS,
    *BUSINESS,
    *DATA,
    *SERVICE,
    *SYSTEM,
)  # fmt: skip

BY_NAME = {definition.name: definition for definition in DEFINITIONS}


def markdown() -> str:
    """The table of all metrics, as the documentation shows it.

    >>> markdown().splitlines()[2][:25]
    '| `volume` | data | Predi'
    """
    head = "metric", "layer", "in words", "harm", "n counts", "interval", "source", "adds up", "witness"
    rows = [
        (f"`{d.name}`", d.layer, d.words, d.harm, d.n, d.interval or "none", d.source,
         "itself" if d.additive else "its statistics", d.witness)
        for d in DEFINITIONS
    ]  # fmt: skip
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
