/* purpose: how much each live version answered on each day
   grain:   day, version
   reads:   metrics
   writes:  decisions (which version is new, which one it replaced) */
SELECT
  m.day,
  m.version,
  m.value
FROM metrics AS m
WHERE m.metric = 'volume'
  AND m.segment = 'all'
  AND m.value > 0
  AND m.day <= {{ last | literal }}
  AND m.version <> 'all'
  AND m.version NOT LIKE 'shadow:%'
  AND m.version NOT LIKE 'challenger:%'
ORDER BY m.day, m.version
