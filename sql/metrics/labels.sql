/* purpose: what was predicted, labelled and decided rightly by each label age, labels or none
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, label_statistics
   writes:  metrics (coverage, accuracy, precision, recall, f1) */
{% from "metrics/ages.sql" import ages_read, beside_predictions, known_by %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    s.day,
    a.age,
    s.version,
    s.segment,
    SUM(s.n) AS n_labelled,
    SUM(CASE WHEN s.decision = 1 AND s.label = 1 THEN s.n ELSE 0 END) AS n_true_positive,
    SUM(CASE WHEN s.decision = 1 AND s.label = 0 THEN s.n ELSE 0 END) AS n_false_positive,
    SUM(CASE WHEN s.decision = 0 AND s.label = 1 THEN s.n ELSE 0 END) AS n_false_negative,
    SUM(CASE WHEN s.decision = 0 AND s.label = 0 THEN s.n ELSE 0 END) AS n_true_negative
  {{- known_by("label_statistics") }}
)
{{ beside_predictions(["n_labelled", "n_true_positive", "n_false_positive", "n_false_negative", "n_true_negative"]) }}
