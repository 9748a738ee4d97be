/* purpose: answers of each day, the failed ones, the newest and those of the busiest minute
   grain:   day, version
   reads:   service_statistics
   writes:  metrics (throughput, peak_per_minute, error_rate, freshness_hours) */
SELECT
  s.day,
  s.version,
  s.n,
  s.n_told,
  s.n_error,
  s.newest,
  s.peak
FROM service_statistics AS s
WHERE s.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY s.day, s.version
