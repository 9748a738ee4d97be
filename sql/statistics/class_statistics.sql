/* purpose: the label triangle of a multiclass model; each change of what is known about a prediction counts on the day it became known
   grain:   day, known_day, version, segment, decision, label
   reads:   predictions, told_labels
   writes:  class_statistics
   A first label counts +1, a correction -1 for the former label and +1 for the new one, as in label_statistics. */
{% from "statistics/belonging.sql" import belongs, known, predicted, same %}
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, names, grouping_sets %}
WITH touched AS (
  {{ known("labels", labels_dated, period) }}
  UNION
  {{ predicted(labels_dated, period) }}
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    p.decision_text AS decision,
    l.label_text AS label,
    LAG(l.label_text) OVER (PARTITION BY p.day, p.source, p.id ORDER BY l.known_day) AS former_label
  FROM told_labels AS l
  JOIN touched AS t ON {{ same("l", "t", labels_dated) }}
  JOIN predictions AS p ON {{ belongs("l", "p", labels_dated) }}
  WHERE l.label_text IS NOT NULL
    AND l.known_day <= {{ period.last | literal }}
    AND p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
entries AS (
  SELECT day, known_day, role, version, {{ names(segments) }}decision, label, 1 AS sign
  FROM events
  WHERE former_label IS NULL OR former_label <> label
  UNION ALL
  SELECT day, known_day, role, version, {{ names(segments) }}decision, former_label AS label, -1 AS sign
  FROM events
  WHERE former_label <> label
),
aged AS (
  SELECT
    day,
    known_day,
    DATE_DIFF('day', day, known_day) AS label_age,
    role,
    version,
    {{ names(segments) }}
    decision,
    label,
    sign
  FROM entries
  WHERE known_day >= {{ period.first | literal }}
),
counted AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    decision,
    label,
    SUM(sign) AS n
  FROM aged
  WHERE label_age <= {{ horizon | literal }}
  {{ grouping_sets(["day", "known_day", "label_age", "role", "version", "decision", "label"], segments) }}
),
both_ways AS (
  SELECT day, known_day, label_age, role, version, segment, decision, label, n
  FROM counted
  UNION ALL
  SELECT day, known_day, label_age, role, 'all' AS version, segment, decision, label, SUM(n) AS n
  FROM counted
  WHERE role = 'live'
  GROUP BY day, known_day, label_age, role, segment, decision, label
)
SELECT day, known_day, label_age, version, segment, decision, label, n
FROM both_ways
WHERE (role = 'live' OR segment = 'all') AND n <> 0
