/* purpose: what was predicted and labelled by each label age of a model of numbers, and how far it was off
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, error_statistics
   writes:  decompositions, worst_segments, comparisons, metrics (change of version) */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    e.day,
    a.age,
    e.version,
    e.segment,
    SUM(e.n) AS n_labelled,
    SUM(CASE WHEN e.bin IS NOT NULL THEN e.n ELSE 0 END) AS n_judged,
    SUM(e.absolute_sum) AS absolute_sum,
    SUM(e.square_sum) AS square_sum
  FROM error_statistics AS e
  JOIN ages AS a
    ON e.label_age <= a.age
    AND e.day BETWEEN a.first_day AND a.last_day
  GROUP BY e.day, a.age, e.version, e.segment
)
SELECT
  p.day,
  a.age AS label_age,
  p.version,
  p.segment,
  p.n,
  CAST(COALESCE(k.n_labelled, 0) AS BIGINT) AS n_labelled,
  CAST(COALESCE(k.n_judged, 0) AS BIGINT) AS n_judged,
  CAST(COALESCE(k.absolute_sum, 0) AS DOUBLE) AS figure_sum,
  CAST(COALESCE(k.square_sum, 0) AS DOUBLE) AS figure_square_sum
FROM prediction_statistics AS p
JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
LEFT JOIN known AS k
  ON k.day = p.day
  AND k.age = a.age
  AND k.version = p.version
  AND k.segment = p.segment
ORDER BY p.day, a.age, p.version, p.segment
