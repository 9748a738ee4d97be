/* purpose: sums of errors per bin of the error by each label age; `series` numbers the rows of labels.sql from 0
   grain:   series, bin
   reads:   prediction_statistics, error_statistics
   writes:  metrics (coverage, mae, rmse, mape, r2, bias and quantiles of the error)
   Sums of labels are about a whole number near their mean, one for each series. */
{% from "metrics/ages.sql" import ages_read %}
{% from "metrics/near.sql" import centre, near_sum, near_squares %}
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
summed AS (
  SELECT
    s.series,
    e.bin,
    CAST(SUM(e.n) AS BIGINT) AS n,
    CAST(SUM(CASE WHEN e.bin IS NOT NULL THEN e.n ELSE 0 END) AS BIGINT) AS n_sized,
    CAST(SUM(e.n_nonzero) AS BIGINT) AS n_nonzero,
    SUM(e.error_sum) AS error_sum,
    SUM(e.absolute_sum) AS absolute_sum,
    SUM(e.square_sum) AS square_sum,
    SUM(e.ratio_sum) AS ratio_sum,
    SUM(e.label_sum) AS label_sum,
    SUM(e.label_square_sum) AS label_square_sum
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
),
totals AS (
  SELECT
    series,
    SUM(label_sum) AS total,
    SUM(n_sized) AS n_total
  FROM summed
  GROUP BY series
),
centred AS (
  SELECT
    series,
    COALESCE({{ centre("total", "n_total") }}, 0) AS centre
  FROM totals
)
SELECT
  s.series,
  s.bin,
  s.n,
  s.n_nonzero,
  CAST(s.error_sum AS DOUBLE) AS error_sum,
  CAST(s.absolute_sum AS DOUBLE) AS absolute_sum,
  CAST(s.square_sum AS DOUBLE) AS square_sum,
  CAST(s.ratio_sum AS DOUBLE) AS ratio_sum,
  {{ near_sum("label_sum", "n_sized", "centre") }} AS label_sum,
  {{ near_squares("label_sum", "label_square_sum", "n_sized", "centre") }} AS label_square_sum
FROM summed AS s
JOIN centred AS c ON c.series = s.series
ORDER BY s.series, s.bin
