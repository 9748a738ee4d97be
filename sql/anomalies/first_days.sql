/* purpose: the day on which each live version first answered
   grain:   version
   reads:   metrics
   writes:  verdicts (a version is new for 28 days) */
SELECT
  m.version,
  MIN(m.day) AS first_day
FROM metrics AS m
WHERE m.metric = 'volume'
  AND m.segment = 'all'
  AND m.value > 0
  AND m.day <= {{ last | literal }}
  AND m.version <> 'all'
  AND m.version NOT LIKE 'shadow:%'
  AND m.version NOT LIKE 'challenger:%'
GROUP BY m.version
