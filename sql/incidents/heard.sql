/* purpose: which channels have been told of which incident before a night
   grain:   incident, channel
   reads:   outbox
   writes:  outbox (who hears that it is over) */
SELECT DISTINCT
  o.incident,
  o.channel
FROM outbox AS o
WHERE o.night < {{ before | literal }}
  AND o.incident <> ''
  AND o.channel NOT IN ('retrain', 'fallback', 'rollback')
ORDER BY o.incident, o.channel
