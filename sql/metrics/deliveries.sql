/* purpose: what became of each delivery of predictions and of outcomes
   grain:   day, source
   reads:   deliveries
   writes:  nothing; days without rows are told with the reason */
SELECT
  d.day,
  d.source,
  d.status,
  d.reason
FROM deliveries AS d
WHERE d.source IN ('predictions', 'outcomes')
  AND d.day <= {{ through | literal }}
