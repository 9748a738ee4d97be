/* purpose: predictions for an id that was predicted in the days before: did the decision change, how far did the score move
   grain:   day, version
   reads:   predictions
   writes:  repeat_statistics
   Held against the id's last prediction from the same source within the window, whichever version gave it. */
{% from "statistics/parts.sql" import version_of, probability %}
{% macro score(p) %}{% if task == "regression" %}{{ p | ident }}.score{% else %}{{ probability(p) }}{% endif %}{% endmacro %}
WITH life AS (
  SELECT
    p.day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ score("p") }} AS score,
    COALESCE(p.decision_text, CAST(p.decision AS VARCHAR)) AS decision,
    LAG(p.day) OVER (PARTITION BY p.source, p.id ORDER BY p.day) AS former_day,
    LAG({{ score("p") }}) OVER (PARTITION BY p.source, p.id ORDER BY p.day) AS former_score,
    LAG(COALESCE(p.decision_text, CAST(p.decision AS VARCHAR))) OVER (PARTITION BY p.source, p.id ORDER BY p.day) AS former_decision
  FROM predictions AS p
  WHERE p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
    AND p.id IN (
      SELECT again.id
      FROM predictions AS again
      WHERE again.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
      GROUP BY again.id
      HAVING MIN(again.day) < MAX(again.day)
    )
),
repeats AS (
  SELECT
    day,
    role,
    version,
    CASE WHEN decision <> former_decision THEN 1 WHEN decision = former_decision THEN 0 END AS flipped,
    CAST(ABS(score - former_score) AS DECIMAL(38, 9)) AS gap,
    CAST((score - former_score) * (score - former_score) AS DECIMAL(38, 9)) AS gap_square
  FROM life
  WHERE day >= {{ period.first | literal }}
    AND DATE_DIFF('day', former_day, day) <= {{ window_days | literal }}
    AND (ABS(score) < 1e12 OR score IS NULL)
    AND (ABS(former_score) < 1e12 OR former_score IS NULL)
),
counted AS (
  SELECT
    day,
    role,
    version,
    COUNT(flipped) AS n,
    SUM(COALESCE(flipped, 0)) AS n_flipped,
    COUNT(gap) AS n_scored,
    SUM(COALESCE(gap, 0)) AS gap_sum,
    SUM(COALESCE(gap_square, 0)) AS gap_square_sum
  FROM repeats
  GROUP BY day, role, version
)
SELECT day, version, n, n_flipped, n_scored, gap_sum, gap_square_sum
FROM counted
UNION ALL
SELECT
  day,
  'all' AS version,
  SUM(n) AS n,
  SUM(n_flipped) AS n_flipped,
  SUM(n_scored) AS n_scored,
  SUM(gap_sum) AS gap_sum,
  SUM(gap_square_sum) AS gap_square_sum
FROM counted
WHERE role = 'live'
GROUP BY day
