"""What is said of a day before its labels are in; part of `jobs.methods.definitions`."""

from __future__ import annotations

from jobs.methods.definition import Definition

_WORDS = {
    "accuracy": ("Share of right decisions", "decisions"),
    "precision": ("Share of true positives among the positive decisions", "predicted positives"),
    "recall": ("Share of the positives that were decided positive", "expected positives"),
    "f1": ("Harmonic mean of precision and recall", "expected positives or decisions"),
    "roc_auc": ("Chance that a positive scores above a negative", "scored decisions"),
}

ESTIMATES: tuple[Definition, ...] = (
    *(
        Definition(
            f"{figure}_estimated", "model",
            f"{words} to be expected of the day, from its scores, calibrated on the labels of older days.",
            harm="down", scale="rate", interval="delta method, widened by past misses", n=n,
            source="CBPE: NannyML's documentation; Guillory et al. (2021)", needs="estimates",
            witness="sklearn.isotonic, simulation, and what labels said later (table estimator_card)",
        )
        for figure, (words, n) in _WORDS.items()
    ),
    *(
        Definition(
            f"{figure}_reweighted", "model",
            f"{words} to be expected of the day if every value of the segment (column feature) does as it did on older "
            "days: a second opinion that knows the mix and not the scores.",
            harm="down", scale="rate", interval="delta method, widened by past misses", n=n,
            source="direct standardisation, Kitagawa (1955)", needs="reweighting",
            witness="by hand; what labels said later (table estimator_card)",
        )
        for figure, (words, n) in _WORDS.items() if figure != "roc_auc"
    ),
)  # fmt: skip
