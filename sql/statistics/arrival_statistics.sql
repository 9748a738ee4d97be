/* purpose: labels and outcomes that arrived: how many, how many correct an earlier one, how many match no prediction
   grain:   known_day, source
   reads:   labels, outcomes, told_labels, told_outcomes, predictions
   writes:  arrival_statistics
   What names the day of its prediction corrects, and matches, only what is of that day.
   Predictions from before the horizon are looked through only for ids that nothing since then matches. */
{% set dated = labels_dated or outcomes_dated %}
{% from "statistics/belonging.sql" import among, key %}
WITH arrived_labels AS (
  SELECT 'labels' AS source, known_day, {{ key(dated) }} FROM labels
  WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
arrived_outcomes AS (
  SELECT 'outcomes' AS source, known_day, {{ key(dated) }} FROM outcomes
  WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
arrived AS (
  SELECT source, known_day, {{ key(dated) }} FROM arrived_labels
  UNION ALL
  SELECT source, known_day, {{ key(dated) }} FROM arrived_outcomes
),
corrections AS (
  SELECT 'labels' AS source, {{ key(dated) }}, MIN(known_day) AS known_day FROM told_labels
  WHERE {{ among("arrived_labels", labels_dated) }}
  GROUP BY {{ key(dated) }}
  HAVING COUNT(*) > 1
  UNION ALL
  SELECT 'outcomes' AS source, {{ key(dated) }}, MIN(known_day) AS known_day FROM told_outcomes
  WHERE {{ among("arrived_outcomes", outcomes_dated) }}
  GROUP BY {{ key(dated) }}
  HAVING COUNT(*) > 1
),
lately_predicted AS (
  SELECT id, MIN(day) AS day FROM predictions
  WHERE day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
    AND id IN (SELECT id FROM arrived{% if dated %} WHERE predicted_day IS NULL{% endif %})
  GROUP BY id
),
unmatched AS (
  SELECT a.id FROM arrived AS a
  LEFT JOIN lately_predicted AS p ON p.id = a.id
  WHERE (p.day IS NULL OR p.day > a.known_day){% if dated %} AND a.predicted_day IS NULL{% endif %}

),
known_predictions AS (
  SELECT id, MIN(day) AS day
  FROM (
    SELECT id, day FROM lately_predicted
    UNION ALL
    SELECT id, day FROM predictions
    WHERE day < {{ horizon_start | literal }}
      AND id IN (SELECT id FROM unmatched)
  ) AS found
  GROUP BY id
){% if dated %},
named_predictions AS (
  SELECT DISTINCT id, day FROM predictions
  WHERE (id, day) IN (SELECT id, predicted_day FROM arrived WHERE predicted_day IS NOT NULL)
){% endif %}

SELECT
  a.known_day,
  a.source,
  COUNT(*) AS n,
  SUM(CASE WHEN f.known_day < a.known_day THEN 1 ELSE 0 END) AS n_corrected,
  {% if dated %}
  SUM(CASE WHEN COALESCE(d.day, p.day) IS NULL OR COALESCE(d.day, p.day) > a.known_day THEN 1 ELSE 0 END) AS n_unknown
  {% else %}
  SUM(CASE WHEN p.day IS NULL OR p.day > a.known_day THEN 1 ELSE 0 END) AS n_unknown
  {% endif %}
FROM arrived AS a
LEFT JOIN corrections AS f
  ON f.source = a.source
  AND f.id = a.id
  {% if dated %}
  AND f.predicted_day IS NOT DISTINCT FROM a.predicted_day
  {% endif %}
LEFT JOIN known_predictions AS p
  ON p.id = a.id
  {% if dated %}
  AND a.predicted_day IS NULL
LEFT JOIN named_predictions AS d
  ON d.id = a.id
  AND d.day = a.predicted_day
  {% endif %}
GROUP BY a.known_day, a.source
