/* purpose: rows that two versions both answered, and how right or how far off each was, at each label age
   grain:   day, label_age, version, other
   reads:   meeting_statistics
   writes:  comparisons */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }}
SELECT
  s.day,
  a.age AS label_age,
  s.version,
  s.other,
  CAST(SUM(s.n) AS BIGINT) AS n,
  CAST(SUM(s.n_agreed) AS BIGINT) AS n_agreed,
  CAST(SUM(s.n_judged) AS BIGINT) AS n_judged,
  CAST(SUM(s.n_both_right) AS BIGINT) AS n_both_right,
  CAST(SUM(s.n_only_live) AS BIGINT) AS n_only_live,
  CAST(SUM(s.n_only_other) AS BIGINT) AS n_only_other,
  CAST(SUM(s.n_both_wrong) AS BIGINT) AS n_both_wrong,
  CAST(SUM(s.absolute_sum) AS DOUBLE) AS absolute_sum,
  CAST(SUM(s.other_absolute_sum) AS DOUBLE) AS other_absolute_sum,
  CAST(SUM(s.gap_sum) AS DOUBLE) AS gap_sum,
  CAST(SUM(s.gap_square_sum) AS DOUBLE) AS gap_square_sum
FROM meeting_statistics AS s
JOIN ages AS a
  ON s.label_age <= a.age
  AND s.day BETWEEN a.first_day AND a.last_day
GROUP BY s.day, a.age, s.version, s.other
ORDER BY s.day, a.age, s.version, s.other
