"""whylogs: a profile a day, of all rows and of each segment value, with its drift scores and classification metrics.

Computes, per day: sketches (counts, missing values, moments, approximate quantiles, frequent values) of every column,
for all rows and each segment value; KS of numeric and chi-squared of categorical features against the reference; the
confusion matrix and ROC points of labelled rows, for all rows and each segment value.

Does not compute: PSI, log loss, figures by label age, intervals, expected ranges, incidents, estimates before labels.
"""

from __future__ import annotations

import json

import whylogs
from delivered import SEGMENTS, accepted, arguments, columns_of, delivered, slices
from whylogs.core.schema import DatasetSchema
from whylogs.core.segmentation_partition import segment_on_column
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores


def main() -> None:
    folder, out = arguments()
    rows, reference = delivered(folder), accepted(folder)
    numeric, categorical = columns_of(reference)
    features = numeric + categorical
    watched = [*features, "score", "latency_ms", "converted", "value"]
    known = whylogs.log(pandas=reference[features]).view()
    scores = {}
    for day, of_day in rows.groupby("day"):
        name = f"{day:%Y-%m-%d}"
        whole = whylogs.log(pandas=of_day[watched]).view()
        whole.write(str(out / f"{name}.bin"))
        scores[name] = calculate_drift_scores(whylogs.log(pandas=of_day[features]).view(), known)
        for column in SEGMENTS:
            schema = DatasetSchema(segments=segment_on_column(column))
            whylogs.log(pandas=of_day[[*watched, column]], schema=schema).writer("local").option(
                base_dir=str(out)
            ).write()
        for segment, part in slices(of_day[of_day["label"].notna()]).items():
            if len(part):
                whylogs.log_classification_metrics(
                    part.astype({"label": "int64"}), target_column="label", prediction_column="decision",
                    score_column="score",
                ).view().write(str(out / f"{name} {segment} performance.bin"))  # fmt: skip
    (out / "drift.json").write_text(json.dumps(scores, default=str))


if __name__ == "__main__":
    main()
