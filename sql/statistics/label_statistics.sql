/* purpose: the label triangle; each change of what is known about a prediction counts on the day it became known
   grain:   day, known_day, version, segment, score_bin, decision, label
   reads:   predictions, told_labels
   writes:  label_statistics
   A first label counts +1. A correction counts -1 for the former label and +1 for the new one. A label known before its
   prediction counts on the prediction's day. score_bin is floor(1000 score) for the whole day and in steps of 10 for
   segments, which keeps the triangle smaller than the rows. Labels older than the horizon are not awaited any more and do not count.
   Only ids with several labels are put in order: sorting all of them costs more than the join.
   log_loss is -ln(the score of what happened), kept off 0 by the smallest step of a double, as scikit-learn does.
   A score that is not between 0 and 1 is no probability: its row counts like one without score. */
{% from "statistics/belonging.sql" import among, belongs, key, known, predicted, same %}
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, names, score_bin, probability %}
{% macro log_loss() %}CAST(ROUND(-LN(CASE
      WHEN label = 1 THEN GREATEST(score, 2.220446049250313e-16)
      ELSE GREATEST(1 - score, 2.220446049250313e-16)
    END) * 1e9) AS BIGINT){% endmacro %}
WITH touched AS (
  {{ known("labels", labels_dated, period) }}
  UNION ALL
  {{ predicted(labels_dated, period) }}
),
told AS (
  SELECT {{ key(labels_dated) }}, known_day, label
  FROM told_labels
  WHERE label IS NOT NULL
    AND known_day <= {{ period.last | literal }}
    AND {{ among("touched", labels_dated) }}
),
corrected AS (
  SELECT {{ key(labels_dated) }} FROM told
  GROUP BY {{ key(labels_dated) }}
  HAVING COUNT(*) > 1
),
former AS (
  SELECT
    {{ key(labels_dated) }},
    known_day,
    LAG(label) OVER (PARTITION BY {{ key(labels_dated) }} ORDER BY known_day) AS label
  FROM told
  WHERE {{ among("corrected", labels_dated) }}
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    {{ probability("p") }} AS score,
    p.decision,
    l.label,
    f.label AS former_label
  FROM told AS l
  JOIN predictions AS p ON {{ belongs("l", "p", labels_dated) }}
  LEFT JOIN former AS f ON {{ same("l", "f", labels_dated) }} AND f.known_day = l.known_day
  WHERE p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
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
stepped AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    {{ names(segments) }}
    score_bin,
    score_bin - score_bin % 10 AS score_step,
    decision,
    label,
    sign,
    score_exact,
    score_square_exact,
    log_loss_exact
  FROM binned
  WHERE label_age <= {{ horizon | literal }}
),
counted AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    {% if segments %}
    CASE WHEN GROUPING(score_bin) = 0 THEN score_bin ELSE score_step END AS score_bin,
    {% else %}
    score_bin,
    {% endif %}
    decision,
    label,
    SUM(sign) AS n,
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact,
    SUM(log_loss_exact) AS log_loss_exact
  FROM stepped
  GROUP BY GROUPING SETS (
    (day, known_day, label_age, role, version, decision, label, score_bin)
    {% for alias in segments %}
    , (day, known_day, label_age, role, version, decision, label, score_step, {{ alias | ident }})
    {% endfor %}
  )
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
