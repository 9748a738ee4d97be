/* purpose: sums of errors per bin of the error by each label age; `series` numbers the rows of labels.sql from 0
   grain:   series, bin
   reads:   prediction_statistics, error_statistics
   writes:  metrics (coverage, mae, rmse, mape, r2, bias and quantiles of the error) */
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
  e.bin,
  CAST(SUM(e.n) AS BIGINT) AS n,
  CAST(SUM(e.n_nonzero) AS BIGINT) AS n_nonzero,
  CAST(SUM(e.error_sum) AS DOUBLE) AS error_sum,
  CAST(SUM(e.absolute_sum) AS DOUBLE) AS absolute_sum,
  CAST(SUM(e.square_sum) AS DOUBLE) AS square_sum,
  CAST(SUM(e.ratio_sum) AS DOUBLE) AS ratio_sum,
  CAST(SUM(e.label_sum) AS DOUBLE) AS label_sum,
  CAST(SUM(e.label_square_sum) AS DOUBLE) AS label_square_sum
FROM error_statistics AS e
JOIN ages AS a
  ON e.label_age <= a.age
  AND e.day BETWEEN a.first_day AND a.last_day
JOIN numbered AS s
  ON s.day = e.day
  AND s.age = a.age
  AND s.version = e.version
  AND s.segment = e.segment
GROUP BY s.series, e.bin
ORDER BY s.series, e.bin
