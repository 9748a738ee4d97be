/* purpose: what was predicted and labelled by each label age of a model of numbers, and how far it was off
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, error_statistics
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
    SUM(CASE WHEN s.bin IS NOT NULL THEN s.n ELSE 0 END) AS n_judged,
    SUM(s.absolute_sum) AS figure_sum,
    SUM(s.square_sum) AS figure_square_sum
  {{- known_by("error_statistics") }}
)
{{ beside_predictions(["n_labelled", "n_judged"], ["figure_sum", "figure_square_sum"]) }}
