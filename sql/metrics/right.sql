/* purpose: what was predicted, labelled and decided rightly by each label age, of a model with several classes
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, class_statistics
   writes:  decompositions, worst_segments, comparisons, metrics (change of version) */
{% from "metrics/ages.sql" import ages_read, beside_predictions, known_by %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    s.day,
    a.age,
    s.version,
    s.segment,
    SUM(s.n) AS n_labelled,
    SUM(CASE WHEN s.decision IS NOT NULL THEN s.n ELSE 0 END) AS n_judged,
    SUM(CASE WHEN s.decision = s.label THEN s.n ELSE 0 END) AS figure_sum,
    SUM(CASE WHEN s.decision = s.label THEN s.n ELSE 0 END) AS figure_square_sum
  {{- known_by("class_statistics") }}
)
{{ beside_predictions(["n_labelled", "n_judged", "figure_sum", "figure_square_sum"]) }}
