/* purpose: decided and true classes by each label age; `series` numbers the rows of labels.sql from 0
   grain:   series, decision, label
   reads:   prediction_statistics, class_statistics
   writes:  metrics (accuracy, coverage and those of classes) */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }},
numbered AS (
  SELECT
    p.day,
    a.age,
    p.version,
    p.segment,
    ROW_NUMBER() OVER (ORDER BY p.day, a.age, p.version, p.segment) - 1 AS series
  FROM prediction_statistics AS p
  JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
)
SELECT
  s.series,
  c.decision,
  c.label,
  CAST(SUM(c.n) AS BIGINT) AS n
FROM class_statistics AS c
JOIN ages AS a
  ON c.label_age <= a.age
  AND c.day BETWEEN a.first_day AND a.last_day
JOIN numbered AS s
  ON s.day = c.day
  AND s.age = a.age
  AND s.version = c.version
  AND s.segment = c.segment
GROUP BY s.series, c.decision, c.label
ORDER BY s.series, c.decision, c.label
