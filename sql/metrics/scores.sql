/* purpose: labelled predictions per score bin by each label age; `series` numbers the rows of labels.sql from 0
   grain:   series, score_bin
   reads:   prediction_statistics, label_statistics
   writes:  metrics (roc_auc, pr_auc, brier, log_loss and others of scores), reliability, threshold_curve */
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
),
counted AS (
  SELECT
    l.day,
    a.age,
    l.version,
    l.segment,
    l.score_bin,
    CAST(SUM(CASE WHEN l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_positive,
    CAST(SUM(CASE WHEN l.label = 0 THEN l.n ELSE 0 END) AS BIGINT) AS n_negative,
    SUM(CASE WHEN l.label = 1 THEN l.score_sum ELSE 0 END) AS positive_score_sum,
    SUM(CASE WHEN l.label = 0 THEN l.score_sum ELSE 0 END) AS negative_score_sum,
    SUM(l.score_square_sum) AS score_square_sum,
    SUM(l.log_loss_sum) AS log_loss_sum
  FROM label_statistics AS l
  JOIN ages AS a
    ON l.label_age <= a.age
    AND l.day BETWEEN a.first_day AND a.last_day
  WHERE l.score_bin IS NOT NULL
  GROUP BY l.day, a.age, l.version, l.segment, l.score_bin
)
SELECT
  s.series,
  c.score_bin,
  c.n_positive,
  c.n_negative,
  CAST(c.positive_score_sum AS DOUBLE) AS positive_score_sum,
  CAST(c.negative_score_sum AS DOUBLE) AS negative_score_sum,
  CAST(c.score_square_sum AS DOUBLE) AS score_square_sum,
  CAST(c.log_loss_sum AS DOUBLE) AS log_loss_sum
FROM counted AS c
JOIN numbered AS s
  ON s.day = c.day
  AND s.age = c.age
  AND s.version = c.version
  AND s.segment = c.segment
WHERE c.n_positive <> 0 OR c.n_negative <> 0
ORDER BY s.series, c.score_bin
