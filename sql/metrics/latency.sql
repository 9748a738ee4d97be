/* purpose: latency bins, ascending
   grain:   day, version, bin
   reads:   latency_statistics
   writes:  metrics (latency_p50, latency_p95, latency_p99) */
SELECT
  l.day,
  l.version,
  l.bin,
  l.n
FROM latency_statistics AS l
WHERE l.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY l.day, l.version, l.bin
