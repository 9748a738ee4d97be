/* purpose: what was predicted and what of it came to something by each outcome age, outcomes or none
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, outcome_statistics
   writes:  metrics (conversion, value_per_prediction, value) */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    o.day,
    a.age,
    o.version,
    o.segment,
    SUM(o.n) AS n_known,
    SUM(o.n_converted) AS n_converted,
    SUM(o.value_sum) AS value_sum,
    SUM(o.value_square_sum) AS value_square_sum
  FROM outcome_statistics AS o
  JOIN ages AS a
    ON o.label_age <= a.age
    AND o.day BETWEEN a.first_day AND a.last_day
  GROUP BY o.day, a.age, o.version, o.segment
)
SELECT
  p.day,
  a.age AS label_age,
  p.version,
  p.segment,
  p.n,
  CAST(COALESCE(k.n_known, 0) AS BIGINT) AS n_known,
  CAST(COALESCE(k.n_converted, 0) AS BIGINT) AS n_converted,
  CAST(COALESCE(k.value_sum, 0) AS DOUBLE) AS value_sum,
  CAST(COALESCE(k.value_square_sum, 0) AS DOUBLE) AS value_square_sum
FROM prediction_statistics AS p
JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
LEFT JOIN known AS k
  ON k.day = p.day
  AND k.age = a.age
  AND k.version = p.version
  AND k.segment = p.segment
ORDER BY p.day, a.age, p.version, p.segment
