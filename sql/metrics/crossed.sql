/* purpose: predictions, labels and outcomes of the searched pairs of segments by each age
   grain:   day, label_age, segment
   reads:   crossed_statistics
   writes:  worst_segments */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }}
SELECT
  c.day,
  a.age AS label_age,
  c.segment,
  CAST(SUM(c.n) AS BIGINT) AS n,
  CAST(SUM(c.n_labelled) AS BIGINT) AS n_labelled,
  CAST(SUM(c.n_true_positive) AS BIGINT) AS n_true_positive,
  CAST(SUM(c.n_false_positive) AS BIGINT) AS n_false_positive,
  CAST(SUM(c.n_false_negative) AS BIGINT) AS n_false_negative,
  CAST(SUM(c.n_true_negative) AS BIGINT) AS n_true_negative,
  CAST(SUM(c.n_judged) AS BIGINT) AS n_judged,
  CAST(SUM(c.figure_sum) AS DOUBLE) AS figure_sum,
  CAST(SUM(c.figure_square_sum) AS DOUBLE) AS figure_square_sum,
  CAST(SUM(c.n_known) AS BIGINT) AS n_known,
  CAST(SUM(c.n_converted) AS BIGINT) AS n_converted
FROM crossed_statistics AS c
JOIN ages AS a
  ON c.label_age <= a.age
  AND c.day BETWEEN a.first_day AND a.last_day
GROUP BY c.day, a.age, c.segment
ORDER BY c.day, a.age, c.segment
