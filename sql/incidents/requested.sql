/* purpose: the decisions that were requested before a night
   grain:   key
   reads:   decisions
   writes:  decisions (cool-down, and once while a request stands) */
SELECT
  d.night,
  d.key,
  d.action,
  d.incident,
  d.payload
FROM decisions AS d
WHERE d.outcome IN ('requested', 'dry_run')
  AND d.night < {{ before | literal }}
ORDER BY d.night, d.key
