/* purpose: labels and outcomes that arrived: how many, how many correct an earlier one, how many match no prediction
   grain:   known_day, source
   reads:   labels, outcomes, predictions
   writes:  arrival_statistics */
WITH arrived AS (
  SELECT 'labels' AS source, known_day, id FROM labels
  WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
  UNION ALL
  SELECT 'outcomes' AS source, known_day, id FROM outcomes
  WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
corrections AS (
  SELECT 'labels' AS source, id, MIN(known_day) AS known_day FROM labels
  WHERE id IN (SELECT id FROM arrived WHERE source = 'labels')
  GROUP BY id
  HAVING COUNT(*) > 1
  UNION ALL
  SELECT 'outcomes' AS source, id, MIN(known_day) AS known_day FROM outcomes
  WHERE id IN (SELECT id FROM arrived WHERE source = 'outcomes')
  GROUP BY id
  HAVING COUNT(*) > 1
),
known_predictions AS (
  SELECT id, MIN(day) AS day FROM predictions
  WHERE id IN (SELECT id FROM arrived)
  GROUP BY id
)
SELECT
  a.known_day,
  a.source,
  COUNT(*) AS n,
  SUM(CASE WHEN f.known_day < a.known_day THEN 1 ELSE 0 END) AS n_corrected,
  SUM(CASE WHEN p.day IS NULL OR p.day > a.known_day THEN 1 ELSE 0 END) AS n_unknown
FROM arrived AS a
LEFT JOIN corrections AS f ON f.source = a.source AND f.id = a.id
LEFT JOIN known_predictions AS p ON p.id = a.id
GROUP BY a.known_day, a.source
