/* purpose: what was predicted, labelled and decided rightly by each label age, of a model with several classes
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, class_statistics
   writes:  decompositions, worst_segments, comparisons, metrics (change of version) */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    c.day,
    a.age,
    c.version,
    c.segment,
    SUM(c.n) AS n_labelled,
    SUM(CASE WHEN c.decision IS NOT NULL THEN c.n ELSE 0 END) AS n_judged,
    SUM(CASE WHEN c.decision = c.label THEN c.n ELSE 0 END) AS n_right
  FROM class_statistics AS c
  JOIN ages AS a
    ON c.label_age <= a.age
    AND c.day BETWEEN a.first_day AND a.last_day
  GROUP BY c.day, a.age, c.version, c.segment
)
SELECT
  p.day,
  a.age AS label_age,
  p.version,
  p.segment,
  p.n,
  CAST(COALESCE(k.n_labelled, 0) AS BIGINT) AS n_labelled,
  CAST(COALESCE(k.n_judged, 0) AS BIGINT) AS n_judged,
  CAST(COALESCE(k.n_right, 0) AS BIGINT) AS figure_sum,
  CAST(COALESCE(k.n_right, 0) AS BIGINT) AS figure_square_sum
FROM prediction_statistics AS p
JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
LEFT JOIN known AS k
  ON k.day = p.day
  AND k.age = a.age
  AND k.version = p.version
  AND k.segment = p.segment
ORDER BY p.day, a.age, p.version, p.segment
