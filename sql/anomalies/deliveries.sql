/* purpose: what each source delivered for the days of the period
   grain:   day, source
   reads:   deliveries
   writes:  verdicts (no data, refused delivery) */
SELECT
  d.day,
  d.source,
  d.status,
  d.rows,
  d.reason
FROM deliveries AS d
WHERE d.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY d.day, d.source
