/* purpose: outcomes of answers acted on and not acted on by each outcome age
   grain:   day, label_age, version, decision
   reads:   action_statistics
   writes:  metrics (click_through, lift, lift_ratio)
   Nights counted by a release that did not tell empty cells took them for not clicked. */
{% from "metrics/ages.sql" import ages_read %}
WITH {{ ages_read(ages) }}
SELECT
  s.day,
  a.age AS label_age,
  s.version,
  s.decision,
  CAST(SUM(s.n_predicted) AS BIGINT) AS n_predicted,
  CAST(SUM(s.n) AS BIGINT) AS n_known,
  CAST(SUM(s.n_clicked) AS BIGINT) AS n_clicked,
  CAST(SUM(COALESCE(s.n_clicked_known, s.n)) AS BIGINT) AS n_clicked_known,
  CAST(SUM(s.n_converted) AS BIGINT) AS n_converted
FROM action_statistics AS s
JOIN ages AS a
  ON s.label_age <= a.age
  AND s.day BETWEEN a.first_day AND a.last_day
GROUP BY s.day, a.age, s.version, s.decision
ORDER BY s.day, a.age, s.version, s.decision
