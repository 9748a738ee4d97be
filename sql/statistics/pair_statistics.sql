/* purpose: rows that a live version and a shadow or challenger both answered, counted by what both said
   grain:   day, known_day, version, other, decision, other_decision, score_bin, other_score_bin, label
   reads:   predictions, told_labels
   writes:  pair_statistics
   On its own day a pair counts without label; a label counts +1 on the day it became known, a correction -1 and +1.
   Scores are in bins of 0.01, named by their lower edge in thousandths; NULL without score. */
{% from "statistics/belonging.sql" import belongs, known, predicted %}
{% from "statistics/parts.sql" import version_of, score_bin, probability %}
WITH touched AS (
  {{ known("labels", labels_dated, period) }}
  UNION
  {{ predicted(labels_dated, period) }}
),
others AS (
  SELECT
    o.day,
    o.source,
    o.id,
    {{ version_of("o") }} AS version,
    o.decision,
    {{ probability("o") }} AS score
  FROM predictions AS o
  JOIN touched AS t ON {{ belongs("t", "o", labels_dated) }}
  WHERE o.role <> 'live'
    AND o.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
pairs AS (
  SELECT
    p.day,
    p.id,
    o.source,
    p.version,
    o.version AS other,
    p.decision,
    o.decision AS other_decision,
    {{ probability("p") }} AS score,
    o.score AS other_score
  FROM others AS o
  JOIN predictions AS p ON p.id = o.id AND p.day = o.day
  WHERE p.role = 'live'
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.version,
    p.other,
    p.decision,
    p.other_decision,
    p.score,
    p.other_score,
    l.label,
    LAG(l.label) OVER (PARTITION BY p.day, p.source, p.id ORDER BY l.known_day) AS former_label
  FROM pairs AS p
  JOIN told_labels AS l ON {{ belongs("l", "p", labels_dated) }}
  WHERE l.label IS NOT NULL
    AND l.known_day <= {{ period.last | literal }}
),
entries AS (
  SELECT day, day AS known_day, version, other, decision, other_decision, score, other_score, NULL AS label, 1 AS sign
  FROM pairs
  WHERE day >= {{ period.first | literal }}
  UNION ALL
  SELECT day, known_day, version, other, decision, other_decision, score, other_score, label, 1 AS sign
  FROM events
  WHERE known_day >= {{ period.first | literal }}
    AND (former_label IS NULL OR former_label <> label)
    AND DATE_DIFF('day', day, known_day) <= {{ label_horizon | literal }}
  UNION ALL
  SELECT day, known_day, version, other, decision, other_decision, score, other_score, former_label AS label, -1 AS sign
  FROM events
  WHERE known_day >= {{ period.first | literal }}
    AND former_label <> label
    AND DATE_DIFF('day', day, known_day) <= {{ label_horizon | literal }}
),
binned AS (
  SELECT
    day,
    known_day,
    version,
    other,
    decision,
    other_decision,
    {{ score_bin("score") }} AS score_bin,
    {{ score_bin("other_score") }} AS other_score_bin,
    label,
    sign
  FROM entries
),
counted AS (
  SELECT
    day,
    known_day,
    version,
    other,
    decision,
    other_decision,
    score_bin - score_bin % 10 AS score_bin,
    other_score_bin - other_score_bin % 10 AS other_score_bin,
    label,
    SUM(sign) AS n
  FROM binned
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT
  day,
  known_day,
  DATE_DIFF('day', day, known_day) AS label_age,
  version,
  other,
  decision,
  other_decision,
  score_bin,
  other_score_bin,
  label,
  n
FROM counted
WHERE n <> 0
