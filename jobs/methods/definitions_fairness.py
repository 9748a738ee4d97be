"""Fairness: rates of the groups of protected segments, and the gaps between them, over the last `fairness_days`."""

from jobs.methods.definition import Definition, Harm, Scale

_WINDOW = "over the last `fairness_days`"
_RULE = "EEOC, Uniform Guidelines (1978): four fifths"


def _rate(name: str, words: str, n: str, source: str) -> Definition:
    return Definition(
        name, "model", f"{words} in a group of a protected segment, {_WINDOW}.",
        harm="both", scale="rate", interval="Wilson", n=n, source=source, needs="groups",
        witness="scikit-learn; statsmodels proportion_confint",
    )  # fmt: skip


def _gap(name: str, words: str, harm: Harm, interval: str, n: str, source: str, scale: Scale = "rate") -> Definition:
    return Definition(
        name, "model", f"{words}, {_WINDOW}. Groups with fewer than `min_rows` take no part.",
        harm=harm, scale=scale, interval=interval, n=n, source=source, needs="groups",
        witness="fairlearn's definition by hand; statsmodels confint_proportions_2indep",
    )  # fmt: skip


_NEWCOMBE = "Newcombe, shared between all pairs of groups"
_KATZ = "log (Katz), shared between all pairs of groups"

FAIRNESS: tuple[Definition, ...] = (
    _rate("selection_rate", "Share of positive decisions", "decisions", "fairlearn.metrics.selection_rate"),
    _rate(
        "true_positive_rate", "Share of the positive labels decided positive", "positive labels",
        "fairlearn.metrics.true_positive_rate",
    ),
    _rate(
        "false_positive_rate", "Share of the negative labels decided positive", "negative labels",
        "fairlearn.metrics.false_positive_rate",
    ),
    _rate(
        "positive_predictive_value", "Share of the positive decisions that were right", "predicted positives",
        "sklearn.metrics.precision_score",
    ),
    _gap(
        "demographic_parity_difference", "Largest less smallest selection rate of the groups", "up", _NEWCOMBE,
        "decisions of the smallest group", "fairlearn.metrics.demographic_parity_difference",
    ),
    _gap(
        "demographic_parity_ratio",
        "Smallest over largest selection rate of the groups; under 0.8 breaks the four-fifths rule", "down",
        _KATZ, "decisions of the smallest group", f"fairlearn.metrics.demographic_parity_ratio; {_RULE}",
    ),
    _gap(
        "equal_opportunity_difference", "Largest less smallest true positive rate of the groups", "up", _NEWCOMBE,
        "positive labels of the smallest group",
        "Hardt et al. (2016); fairlearn.metrics.equal_opportunity_difference",
    ),
    _gap(
        "equal_opportunity_ratio", "Smallest over largest true positive rate of the groups", "down", _KATZ,
        "positive labels of the smallest group",
        "Hardt et al. (2016); fairlearn.metrics.equal_opportunity_ratio",
    ),
    _gap(
        "predictive_equality_difference", "Largest less smallest false positive rate of the groups", "up", _NEWCOMBE,
        "negative labels of the smallest group",
        "Corbett-Davies et al. (2017); fairlearn.metrics.false_positive_rate_difference",
    ),
    _gap(
        "predictive_equality_ratio", "Smallest over largest false positive rate of the groups", "down", _KATZ,
        "negative labels of the smallest group",
        "Corbett-Davies et al. (2017); fairlearn.metrics.false_positive_rate_ratio",
    ),
    _gap(
        "equalized_odds_difference", "The larger of the gaps in true and in false positive rate", "up", _NEWCOMBE,
        "labels of one class of the smallest group", "Hardt et al. (2016); fairlearn.metrics.equalized_odds_difference",
    ),
    _gap(
        "equalized_odds_ratio", "The smaller of the ratios of true positive and of false positive rates", "down", _KATZ,
        "labels of one class of the smallest group", "fairlearn.metrics.equalized_odds_ratio",
    ),
    _gap(
        "predictive_parity_difference", "Largest less smallest precision of the groups", "up", _NEWCOMBE,
        "predicted positives of the smallest group", "Chouldechova (2017)",
    ),
    _gap(
        "predictive_parity_ratio", "Smallest over largest precision of the groups", "down", _KATZ,
        "predicted positives of the smallest group", "Chouldechova (2017)",
    ),
)  # fmt: skip
