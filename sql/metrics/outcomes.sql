/* purpose: what was predicted and what of it came to something by each outcome age, outcomes or none
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, outcome_statistics
   writes:  metrics (conversion, value_per_prediction, value)
   Nights counted by a release that did not tell empty values took them for 0. */
{% from "metrics/ages.sql" import ages_read, beside_predictions, known_by %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    s.day,
    a.age,
    s.version,
    s.segment,
    SUM(s.n) AS n_known,
    SUM(s.n_converted) AS n_converted,
    SUM(COALESCE(s.n_unvalued, 0)) AS n_unvalued,
    SUM(s.value_sum) AS value_sum,
    SUM(s.value_square_sum) AS value_square_sum
  {{- known_by("outcome_statistics") }}
)
{{ beside_predictions(["n_known", "n_converted", "n_unvalued"], ["value_sum", "value_square_sum"]) }}
