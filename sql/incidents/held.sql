/* purpose: the requests that were held back before a night
   grain:   key
   reads:   decisions
   writes:  outbox (what is held back is told once) */
SELECT DISTINCT d.key
FROM decisions AS d
WHERE d.outcome = 'held'
  AND d.night < {{ before | literal }}
ORDER BY d.key
