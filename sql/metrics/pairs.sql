/* purpose: rows that two versions both answered, by what each decided and scored, at each label age
   grain:   day, label_age, version, other, score_bin, other_score_bin
   reads:   pair_statistics
   writes:  comparisons */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }}
SELECT
  s.day,
  a.age AS label_age,
  s.version,
  s.other,
  s.score_bin,
  s.other_score_bin,
  CAST(SUM(CASE WHEN s.label IS NULL THEN s.n ELSE 0 END) AS BIGINT) AS n,
  CAST(SUM(CASE WHEN s.label IS NULL AND s.decision = s.other_decision THEN s.n ELSE 0 END) AS BIGINT) AS n_agreed,
  CAST(SUM(CASE WHEN s.label IS NULL AND s.decision = 1 THEN s.n ELSE 0 END) AS BIGINT) AS n_called,
  CAST(SUM(CASE WHEN s.label IS NULL AND s.other_decision = 1 THEN s.n ELSE 0 END) AS BIGINT) AS n_other_called,
  CAST(SUM(CASE WHEN s.decision = s.label AND s.other_decision = s.label THEN s.n ELSE 0 END) AS BIGINT) AS n_both_right,
  CAST(SUM(CASE WHEN s.decision = s.label AND s.other_decision <> s.label THEN s.n ELSE 0 END) AS BIGINT) AS n_only_live,
  CAST(SUM(CASE WHEN s.decision <> s.label AND s.other_decision = s.label THEN s.n ELSE 0 END) AS BIGINT) AS n_only_other,
  CAST(SUM(CASE WHEN s.decision <> s.label AND s.other_decision <> s.label THEN s.n ELSE 0 END) AS BIGINT) AS n_both_wrong,
  CAST(SUM(CASE WHEN s.label = 1 THEN s.n ELSE 0 END) AS BIGINT) AS n_positive,
  CAST(SUM(CASE WHEN s.label = 0 THEN s.n ELSE 0 END) AS BIGINT) AS n_negative
FROM pair_statistics AS s
JOIN ages AS a
  ON s.label_age <= a.age
  AND s.day BETWEEN a.first_day AND a.last_day
GROUP BY s.day, a.age, s.version, s.other, s.score_bin, s.other_score_bin
ORDER BY s.day, a.age, s.version, s.other, s.score_bin, s.other_score_bin
