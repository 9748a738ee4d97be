/* purpose: what was predicted, labelled and decided rightly by each label age, labels or none
   grain:   day, label_age, version, segment
   reads:   prediction_statistics, label_statistics
   writes:  metrics (coverage, accuracy, precision, recall, f1) */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }},
known AS (
  SELECT
    l.day,
    a.age,
    l.version,
    l.segment,
    SUM(l.n) AS n_labelled,
    SUM(CASE WHEN l.decision = 1 AND l.label = 1 THEN l.n ELSE 0 END) AS n_true_positive,
    SUM(CASE WHEN l.decision = 1 AND l.label = 0 THEN l.n ELSE 0 END) AS n_false_positive,
    SUM(CASE WHEN l.decision = 0 AND l.label = 1 THEN l.n ELSE 0 END) AS n_false_negative,
    SUM(CASE WHEN l.decision = 0 AND l.label = 0 THEN l.n ELSE 0 END) AS n_true_negative
  FROM label_statistics AS l
  JOIN ages AS a
    ON l.label_age <= a.age
    AND l.day BETWEEN a.first_day AND a.last_day
  GROUP BY l.day, a.age, l.version, l.segment
)
SELECT
  p.day,
  a.age AS label_age,
  p.version,
  p.segment,
  p.n,
  CAST(COALESCE(k.n_labelled, 0) AS BIGINT) AS n_labelled,
  CAST(COALESCE(k.n_true_positive, 0) AS BIGINT) AS n_true_positive,
  CAST(COALESCE(k.n_false_positive, 0) AS BIGINT) AS n_false_positive,
  CAST(COALESCE(k.n_false_negative, 0) AS BIGINT) AS n_false_negative,
  CAST(COALESCE(k.n_true_negative, 0) AS BIGINT) AS n_true_negative
FROM prediction_statistics AS p
JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
LEFT JOIN known AS k
  ON k.day = p.day
  AND k.age = a.age
  AND k.version = p.version
  AND k.segment = p.segment
ORDER BY p.day, a.age, p.version, p.segment
