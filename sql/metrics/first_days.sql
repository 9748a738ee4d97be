/* purpose: the first day on which each live version answered
   grain:   version
   reads:   prediction_statistics
   writes:  metrics (changes of version), comparisons */
SELECT
  p.version,
  MIN(p.day) AS first_day
FROM prediction_statistics AS p
WHERE p.day <= {{ last | literal }}
  AND p.segment = 'all'
  AND p.version <> 'all'
  AND p.version NOT LIKE 'shadow:%'
  AND p.version NOT LIKE 'challenger:%'
GROUP BY p.version
ORDER BY p.version
