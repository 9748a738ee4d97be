"""The tables of a model's file: what each is for, its columns, and which night a row belongs to.

A stage replaces a period by deleting the rows whose `night` falls in it and inserting new ones, in one transaction.
Sums are exact decimals: adding doubles in another order gives other last digits, and a re-run must not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Table:
    """One table: `columns` maps names to SQL types in order; `night` is the SQL expression of a row's night."""

    name: str
    purpose: str
    columns: dict[str, str]
    night: str | None = "day"


def _columns(text: str) -> dict[str, str]:
    """`name TYPE, name TYPE` -> mapping.

    >>> _columns("day DATE, total DECIMAL(38,9)")
    {'day': 'DATE', 'total': 'DECIMAL(38,9)'}
    """
    return dict(column.split(maxsplit=1) for column in " ".join(text.split()).split(", "))


def predictions(segments: Iterable[str], numeric: Iterable[str], categorical: Iterable[str]) -> Table:
    """The predictions table of one spec: the columns every prediction has, then segments and features by name.

    A column that is both a segment and a categorical feature is stored once.
    """
    columns = _columns(
        "day DATE, source VARCHAR, id VARCHAR, ts TIMESTAMP, version VARCHAR, role VARCHAR, score DOUBLE, decision INTEGER, "
        "latency_ms DOUBLE, error INTEGER, decision_text VARCHAR"
    )
    columns |= dict.fromkeys((*segments, *categorical), "VARCHAR") | dict.fromkeys(numeric, "DOUBLE")
    return Table("predictions", "served answers, one row per id, source and day", columns)


TABLES: tuple[Table, ...] = (
    Table(
        "progress",
        "through which day each stage has finished, for which spec; finished days are always a prefix of history",
        _columns("stage VARCHAR, first DATE, through DATE, digest VARCHAR"),
        night=None,
    ),
    Table(
        "reached",
        "through which day a stage had come before days of it were declared unfinished; its next run comes as far again",
        _columns("stage VARCHAR, through DATE"),
        night=None,
    ),
    # ingest ---------------------------------------------------------------------------------------------------
    Table(
        "deliveries",
        "what each source delivered for each day: status is delivered, missing or refused",
        _columns(
            "day DATE, source VARCHAR, status VARCHAR, files BIGINT, rows BIGINT, duplicates BIGINT, misdated BIGINT, "
            "fingerprint VARCHAR, reason VARCHAR"
        ),
    ),
    Table(
        "delivery_columns",
        "the columns of each delivery that could be opened, and of what kind they were",
        _columns("day DATE, source VARCHAR, name VARCHAR, kind VARCHAR"),
    ),
    Table(
        "system_usage",
        "what a Prometheus server measured of each resource on each day: mean and peak over the windows that it saw",
        _columns(
            "day DATE, resource VARCHAR, asked VARCHAR, mean DOUBLE, peak DOUBLE, windows BIGINT, expected BIGINT, reason VARCHAR"
        ),
    ),
    Table(
        "labels",
        "labels as delivered, one row per id, known day and, where files name it, day of the prediction it belongs to; "
        "corrections are later rows, never overwritten",
        _columns(
            "id VARCHAR, known_day DATE, label INTEGER, label_text VARCHAR, label_value DOUBLE, predicted_day DATE"
        ),
        night="known_day",
    ),
    Table(
        "outcomes",
        "outcomes as delivered, one row per id, known day and, where files name it, day of the prediction it belongs to",
        _columns("id VARCHAR, known_day DATE, converted INTEGER, value DOUBLE, clicked INTEGER, predicted_day DATE"),
        night="known_day",
    ),
    # the waist ------------------------------------------------------------------------------------------------
    Table(
        "prediction_statistics",
        "predictions counted per day, version and segment",
        _columns(
            "day DATE, version VARCHAR, segment VARCHAR, n BIGINT, n_scored BIGINT, n_improper BIGINT, n_decided BIGINT, "
            "n_positive BIGINT, score_sum DECIMAL(38,9), score_square_sum DECIMAL(38,9)"
        ),
    ),
    Table(
        "feature_statistics",
        "features (and score, decision) counted per day, version and reference bin, with their moments",
        _columns(
            "day DATE, version VARCHAR, feature VARCHAR, bin INTEGER, n BIGINT, value_sum DECIMAL(38,9), value_square_sum DECIMAL(38,9)"
        ),
    ),
    Table(
        "feature_parts",
        "feature_statistics in finer counts: each numeric bin in parts, with the least and the greatest value",
        _columns(
            "day DATE, version VARCHAR, feature VARCHAR, bin INTEGER, part INTEGER, n BIGINT, value_sum DECIMAL(38,9), "
            "value_square_sum DECIMAL(38,9), value_min DOUBLE, value_max DOUBLE"
        ),
    ),
    Table(
        "service_statistics",
        "answers of each day and version: failed ones, the newest, and those of the busiest minute (of the day, not additive)",
        _columns("day DATE, version VARCHAR, n BIGINT, n_told BIGINT, n_error BIGINT, newest TIMESTAMP, peak BIGINT"),
    ),
    Table(
        "latency_statistics",
        "latency counted in logarithmic bins per day and version",
        _columns("day DATE, version VARCHAR, bin INTEGER, n BIGINT"),
    ),
    Table(
        "label_statistics",
        "the label triangle: labelled predictions per prediction day and known day; corrections are -1 and +1",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, segment VARCHAR, score_bin INTEGER, "
            "decision INTEGER, label INTEGER, n BIGINT, score_sum DECIMAL(38,9), score_square_sum DECIMAL(38,9), "
            "log_loss_sum DECIMAL(38,9)"
        ),
        night="known_day",
    ),
    Table(
        "score_statistics",
        "scores counted in bins of 0.01 per day, version, segment and decision, labelled or not",
        _columns(
            "day DATE, version VARCHAR, segment VARCHAR, score_bin INTEGER, decision INTEGER, n BIGINT, score_sum DECIMAL(38,9)"
        ),
    ),
    Table(
        "repeat_statistics",
        "predictions for an id that was predicted in the days before: decisions that changed, and how far the score moved",
        _columns(
            "day DATE, version VARCHAR, n BIGINT, n_flipped BIGINT, n_scored BIGINT, gap_sum DECIMAL(38,9), "
            "gap_square_sum DECIMAL(38,9)"
        ),
    ),
    Table(
        "class_statistics",
        "the label triangle of a multiclass model: decided and true class; corrections are -1 and +1",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, segment VARCHAR, decision VARCHAR, label VARCHAR, n BIGINT"
        ),
        night="known_day",
    ),
    Table(
        "error_statistics",
        "the label triangle of a regression model: exact sums of errors (score - label), in logarithmic bins of the error",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, segment VARCHAR, bin INTEGER, n BIGINT, "
            "n_nonzero BIGINT, error_sum DECIMAL(38,9), absolute_sum DECIMAL(38,9), square_sum DECIMAL(38,9), "
            "ratio_sum DECIMAL(38,9), label_sum DECIMAL(38,9), label_square_sum DECIMAL(38,9)"
        ),
        night="known_day",
    ),
    Table(
        "outcome_statistics",
        "the outcome triangle: predictions whose outcome became known, that converted, and that converted without saying their value (n_unvalued)",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, segment VARCHAR, n BIGINT, n_converted BIGINT, "
            "n_unvalued BIGINT, value_sum DECIMAL(38,9), value_square_sum DECIMAL(38,9)"
        ),
        night="known_day",
    ),
    Table(
        "action_statistics",
        "the outcome triangle by decision: predictions (on their own day) and outcomes of answers acted on and not acted on",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, decision INTEGER, n_predicted BIGINT, n BIGINT, "
            "n_clicked BIGINT, n_clicked_known BIGINT, n_converted BIGINT, value_sum DECIMAL(38,9), value_square_sum DECIMAL(38,9)"
        ),
        night="known_day",
    ),
    Table(
        "crossed_statistics",
        "predictions (on their own day), labels and outcomes of pairs of segments, all live versions together",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, segment VARCHAR, n BIGINT, n_labelled BIGINT, "
            "n_true_positive BIGINT, n_false_positive BIGINT, n_false_negative BIGINT, n_true_negative BIGINT, "
            "n_judged BIGINT, figure_sum DECIMAL(38,9), figure_square_sum DECIMAL(38,9), n_known BIGINT, n_converted BIGINT"
        ),
        night="known_day",
    ),
    Table(
        "missing_statistics",
        "missing values of each feature per day, version and segment; no row where there are none",
        _columns("day DATE, version VARCHAR, segment VARCHAR, feature VARCHAR, n BIGINT"),
    ),
    Table(
        "pair_statistics",
        "rows that a live version and another both answered: both decisions and scores (in 100 bins), and the label once known",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, other VARCHAR, decision INTEGER, "
            "other_decision INTEGER, score_bin INTEGER, other_score_bin INTEGER, label INTEGER, n BIGINT"
        ),
        night="known_day",
    ),
    Table(
        "meeting_statistics",
        "rows that a live version and another both answered, of a model with classes or numbers: how often both said the "
        "same, and once the label is known how right or how far off each was",
        _columns(
            "day DATE, known_day DATE, label_age INTEGER, version VARCHAR, other VARCHAR, n BIGINT, n_agreed BIGINT, "
            "n_judged BIGINT, n_both_right BIGINT, n_only_live BIGINT, n_only_other BIGINT, n_both_wrong BIGINT, "
            "absolute_sum DECIMAL(38,9), other_absolute_sum DECIMAL(38,9), gap_sum DECIMAL(38,9), gap_square_sum DECIMAL(38,9)"
        ),
        night="known_day",
    ),
    Table(
        "arrival_statistics",
        "labels and outcomes that arrived per known day: first ones, corrections, and those for unknown ids",
        _columns("known_day DATE, source VARCHAR, n BIGINT, n_corrected BIGINT, n_unknown BIGINT"),
        night="known_day",
    ),
    Table(
        "reference_bins",
        "the reference profile: bins of each feature with expected counts, for a version or for all",
        _columns(
            "reference VARCHAR, feature VARCHAR, bin INTEGER, kind VARCHAR, lower DOUBLE, upper DOUBLE, category VARCHAR, "
            "n BIGINT, value_sum DECIMAL(38,9), value_square_sum DECIMAL(38,9)"
        ),
        night=None,
    ),
    Table(
        "reference_parts",
        "the parts of each numeric bin of the reference profile, and which of them lie outside its ordinary range",
        _columns(
            "reference VARCHAR, feature VARCHAR, bin INTEGER, part INTEGER, lower DOUBLE, upper DOUBLE, n BIGINT, "
            "value_sum DECIMAL(38,9), value_square_sum DECIMAL(38,9), beyond_range BOOLEAN, beyond_sigma BOOLEAN"
        ),
        night=None,
    ),
    # metrics and after ----------------------------------------------------------------------------------------
    Table(
        "metrics",
        "numbers with meaning, long",
        _columns(
            "model VARCHAR, version VARCHAR, day DATE, layer VARCHAR, metric VARCHAR, feature VARCHAR, segment VARCHAR, "
            "label_age INTEGER, value DOUBLE, n BIGINT, lower DOUBLE, upper DOUBLE, state VARCHAR, reason VARCHAR"
        ),
        night="day + COALESCE(label_age, 0)",
    ),
    Table(
        "reliability",
        "the reliability curve: per tenth of the score, how high scores were and how many labels were positive",
        _columns(
            "day DATE, version VARCHAR, label_age INTEGER, bin INTEGER, n BIGINT, mean_score DOUBLE, positive_share DOUBLE"
        ),
        night="day + label_age",
    ),
    Table(
        "threshold_curve",
        "what other thresholds would have given, on the labels known by each age",
        _columns(
            "day DATE, version VARCHAR, label_age INTEGER, threshold DOUBLE, n BIGINT, precision DOUBLE, recall DOUBLE, flagged_share DOUBLE"
        ),
        night="day + label_age",
    ),
    Table(
        "estimates",
        "what each day's figures will be once its labels are in, as the day's own night saw it; made without its labels",
        _columns(
            "day DATE, version VARCHAR, segment VARCHAR, metric VARCHAR, basis VARCHAR, value DOUBLE, n BIGINT, deviation DOUBLE, "
            "widening DOUBLE, lower DOUBLE, upper DOUBLE, n_known BIGINT"
        ),
    ),
    Table(
        "estimator_card",
        "how good the estimates were: over the last evaluated days, against what the labels then said",
        _columns(
            "day DATE, version VARCHAR, metric VARCHAR, basis VARCHAR, evaluated BIGINT, bias DOUBLE, mean_absolute DOUBLE, "
            "inside_share DOUBLE, inside_lower DOUBLE, inside_upper DOUBLE, verdict VARCHAR"
        ),
    ),
    Table(
        "contributions",
        "what each bin adds to a feature's PSI",
        _columns(
            "day DATE, version VARCHAR, feature VARCHAR, bin INTEGER, label VARCHAR, expected DOUBLE, observed DOUBLE, "
            "contribution DOUBLE"
        ),
    ),
    Table(
        "decompositions",
        "why a rate left its recent window: mix, base, coverage and rate of each part, summing to the change",
        _columns(
            "model VARCHAR, day DATE, label_age INTEGER, metric VARCHAR, feature VARCHAR, dimension VARCHAR, segment VARCHAR, "
            "value DOUBLE, n BIGINT, former DOUBLE, former_n BIGINT, share DOUBLE, former_share DOUBLE, change DOUBLE, "
            "mix DOUBLE, base DOUBLE, coverage DOUBLE, rate DOUBLE"
        ),
        night="day + COALESCE(label_age, 0)",
    ),
    Table(
        "worst_segments",
        "segments and pairs of them that fell most against their recent window; found where chance is ruled out",
        _columns(
            "model VARCHAR, day DATE, label_age INTEGER, metric VARCHAR, rank INTEGER, segment VARCHAR, value DOUBLE, n BIGINT, "
            "former DOUBLE, former_n BIGINT, z DOUBLE, p_value DOUBLE, q_value DOUBLE, found BOOLEAN, searched BIGINT, "
            "contribution DOUBLE"
        ),
        night="day + COALESCE(label_age, 0)",
    ),
    Table(
        "comparisons",
        "a live version and another side by side, per metric, and in the rows of metric `verdict` what to do about it, and why",
        _columns(
            "model VARCHAR, day DATE, label_age INTEGER, version VARCHAR, other VARCHAR, metric VARCHAR, basis VARCHAR, "
            "value DOUBLE, other_value DOUBLE, n BIGINT, other_n BIGINT, difference DOUBLE, lower DOUBLE, upper DOUBLE, p_value DOUBLE, "
            "verdict VARCHAR, reason VARCHAR"
        ),
        night="day + label_age",
    ),
    Table(
        "verdicts",
        "each rule's judgement of each figure, per night: ok, breach or not_evaluated, with its reason",
        _columns(
            "model VARCHAR, night DATE, rule VARCHAR, metric VARCHAR, version VARCHAR, feature VARCHAR, segment VARCHAR, "
            "label_age INTEGER, day DATE, verdict VARCHAR, severity VARCHAR, action VARCHAR, detector VARCHAR, value DOUBLE, "
            "n BIGINT, expected DOUBLE, lower DOUBLE, upper DOUBLE, distance DOUBLE, reason VARCHAR"
        ),
        night="night",
    ),
    Table(
        "incidents",
        "breaches that belong together, one row per incident and night of its life",
        _columns(
            "model VARCHAR, night DATE, incident VARCHAR, state VARCHAR, severity VARCHAR, scope VARCHAR, title VARCHAR, "
            "opened DATE, last_breach DATE, quiet_nights INTEGER, evidence JSON, text VARCHAR"
        ),
        night="night",
    ),
    Table(
        "decisions",
        "what is done about an incident and why: outcome is requested, held or dry_run; payload has every figure that led to it",
        _columns(
            "model VARCHAR, night DATE, key VARCHAR, incident VARCHAR, action VARCHAR, outcome VARCHAR, reason VARCHAR, "
            "payload JSON"
        ),
        night="night",
    ),
    Table(
        "outbox",
        "messages decided, each with one key; dispatches tells which were sent",
        _columns(
            "model VARCHAR, night DATE, key VARCHAR, incident VARCHAR, channel VARCHAR, subject VARCHAR, payload JSON"
        ),
        night="night",
    ),
    Table(
        "dispatches",
        "the ledger of side effects: a key in here was handed over, or given up as its answer says, and never is again; of a "
        "message about an incident also what it told",
        _columns(
            "key VARCHAR, channel VARCHAR, night DATE, sent_at TIMESTAMP, answer VARCHAR, incident VARCHAR, state VARCHAR, "
            "severity VARCHAR, title VARCHAR"
        ),
        night=None,
    ),
    Table(
        "answers",
        "what people said: answer is acknowledged (key: an incident), approved or rejected (key: a decision)",
        _columns("key VARCHAR, answer VARCHAR, person VARCHAR, answered_at TIMESTAMP, note VARCHAR"),
        night=None,
    ),
)

BY_NAME = {table.name: table for table in TABLES}
