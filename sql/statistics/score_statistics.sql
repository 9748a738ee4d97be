/* purpose: scores and decisions counted in bins of 0.01, labelled or not, for what is said before labels are in
   grain:   day, version, segment, score_bin, decision
   reads:   predictions
   writes:  score_statistics
   score_bin is floor(1000 score) in steps of 10, as in the label triangle of segments. */
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, grouping_sets, score_bin, probability %}
WITH answers AS (
  SELECT
    p.day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    {{ probability("p") }} AS score,
    p.decision
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
    AND p.score IS NOT NULL
    AND p.decision IS NOT NULL
),
binned AS (
  SELECT
    day,
    role,
    version,
    {% for alias in segments %}
    {{ alias | ident }},
    {% endfor %}
    {{ score_bin("score") }} - {{ score_bin("score") }} % 10 AS score_bin,
    decision,
    CAST(ROUND(score * 1e9) AS BIGINT) AS score_exact
  FROM answers
  WHERE score IS NOT NULL
),
counted AS (
  SELECT
    day,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    score_bin,
    decision,
    COUNT(*) AS n,
    SUM(score_exact) AS score_exact
  FROM binned
  {{ grouping_sets(["day", "role", "version", "score_bin", "decision"], segments) }}
),
both_ways AS (
  SELECT day, role, version, segment, score_bin, decision, n, score_exact
  FROM counted
  UNION ALL
  SELECT day, role, 'all' AS version, segment, score_bin, decision, SUM(n) AS n, SUM(score_exact) AS score_exact
  FROM counted
  WHERE role = 'live'
  GROUP BY day, role, segment, score_bin, decision
)
SELECT day, version, segment, score_bin, decision, n, score_exact / 1e9 AS score_sum
FROM both_ways
WHERE role = 'live' OR segment = 'all'
