/* purpose: the label triangle; each change of what is known about a prediction counts on the day it became known
   grain:   day, known_day, version, segment, score_bin, decision, label
   reads:   predictions, labels
   writes:  label_statistics
   A first label counts +1. A correction counts -1 for the former label and +1 for the new one. A label known before its
   prediction counts on the prediction's day. score_bin is floor(1000 score) for the whole day and in steps of 10 for
   segments, which keeps the triangle smaller than the rows. Labels older than the horizon are not awaited any more and do not count.
   log_loss is -ln(the score of what happened), kept off 0 by the smallest step of a double, as scikit-learn does. */
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, names, grouping_sets, score_bin %}
{% macro log_loss() %}CAST(ROUND(-LN(CASE
      WHEN label = 1 THEN GREATEST(LEAST(score, 1), 2.220446049250313e-16)
      ELSE GREATEST(1 - GREATEST(score, 0), 2.220446049250313e-16)
    END) * 1e9) AS BIGINT){% endmacro %}
WITH touched AS (
  SELECT id FROM labels WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
  UNION
  SELECT id FROM predictions WHERE day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    p.score,
    p.decision,
    l.label,
    LAG(l.label) OVER (PARTITION BY p.day, p.source, p.id ORDER BY l.known_day) AS former_label
  FROM labels AS l
  JOIN touched AS t ON t.id = l.id
  JOIN predictions AS p ON p.id = l.id
  WHERE l.label IS NOT NULL
    AND l.known_day <= {{ period.last | literal }}
    AND p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
entries AS (
  SELECT day, known_day, role, version, {{ names(segments) }}score, decision, label, 1 AS sign
  FROM events
  WHERE former_label IS NULL OR former_label <> label
  UNION ALL
  SELECT day, known_day, role, version, {{ names(segments) }}score, decision, former_label AS label, -1 AS sign
  FROM events
  WHERE former_label <> label
),
binned AS (
  SELECT
    day,
    known_day,
    DATE_DIFF('day', day, known_day) AS label_age,
    role,
    version,
    {{ names(segments) }}
    {{ score_bin("score") }} AS score_bin,
    decision,
    label,
    sign,
    sign * CAST(ROUND(score * 1e9) AS BIGINT) AS score_exact,
    sign * CAST(ROUND(score * score * 1e9) AS BIGINT) AS score_square_exact,
    sign * {{ log_loss() }} AS log_loss_exact
  FROM entries
  WHERE known_day >= {{ period.first | literal }}
),
by_bin AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    score_bin,
    decision,
    label,
    SUM(sign) AS n,
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact,
    SUM(log_loss_exact) AS log_loss_exact
  FROM binned
  WHERE label_age <= {{ horizon | literal }}
  {{ grouping_sets(["day", "known_day", "label_age", "role", "version", "score_bin", "decision", "label"], segments) }}
),
counted AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    segment,
    CASE WHEN segment = 'all' THEN score_bin ELSE score_bin - score_bin % 10 END AS score_bin,
    decision,
    label,
    SUM(n) AS n,
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact,
    SUM(log_loss_exact) AS log_loss_exact
  FROM by_bin
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
),
both_ways AS (
  SELECT day, known_day, label_age, role, version, segment, score_bin, decision, label, n, score_exact, score_square_exact, log_loss_exact
  FROM counted
  UNION ALL
  SELECT
    day,
    known_day,
    label_age,
    role,
    'all' AS version,
    segment,
    score_bin,
    decision,
    label,
    SUM(n) AS n,
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact,
    SUM(log_loss_exact) AS log_loss_exact
  FROM counted
  WHERE role = 'live'
  GROUP BY day, known_day, label_age, role, segment, score_bin, decision, label
)
SELECT
  day,
  known_day,
  label_age,
  version,
  segment,
  score_bin,
  decision,
  label,
  n,
  score_exact / 1e9 AS score_sum,
  score_square_exact / 1e9 AS score_square_sum,
  log_loss_exact / 1e9 AS log_loss_sum
FROM both_ways
WHERE (role = 'live' OR segment = 'all') AND n <> 0
