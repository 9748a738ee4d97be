"""popmon: histograms by day of every column against the reference, its statistics, traffic lights and HTML report.

Computes, per day: PSI, KS, Jensen-Shannon and other distances of every feature; counts, missing values, moments and
quantiles of features, score, latency, conversion and value; accuracy as the mean of a column `correct` (of all rows,
and one histogram by segment column); traffic lights and its HTML page.

Does not compute: precision, recall, ROC AUC, log loss or anything else that needs labels, beside that mean; figures by
label age; drift by segment value; estimates before labels, expected ranges with seasons, incidents.
"""

from __future__ import annotations

import numpy as np
from delivered import SEGMENTS, accepted, arguments, columns_of, delivered
from popmon.pipeline.report import df_stability_report


def main() -> None:
    folder, out = arguments()
    rows, reference = delivered(folder), accepted(folder)
    numeric, categorical = columns_of(reference)
    for frame in (rows, reference):
        frame["converted"] = frame["converted"].astype(float)
        frame["correct"] = np.where(frame["label"].isna(), np.nan, frame["decision"] == frame["label"]).astype(float)
    watched = [*numeric, *categorical, "score", "latency_ms", "converted", "value", "correct"]
    features = [f"ts:{name}" for name in watched] + [f"ts:{name}:correct" for name in SEGMENTS]
    kept = ["ts", *watched, *SEGMENTS]
    report = df_stability_report(
        rows[kept], time_axis="ts", time_width="1d", time_offset="2025-01-01", features=features,
        reference=reference[kept], reference_type="external",
    )  # fmt: skip
    report.to_file(str(out / "report.html"))
    for name in ("comparisons", "profiles"):
        for feature, frame in report.datastore[name].items():
            frame.to_pickle(out / f"{name} {feature.replace(':', ' ')}.pkl")


if __name__ == "__main__":
    main()
