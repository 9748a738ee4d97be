/* purpose: scores counted in bins of 0.01, whole days
   grain:   day, version, score_bin
   reads:   score_statistics
   writes:  metrics (score_shift) */
SELECT
  s.day,
  s.version,
  s.score_bin,
  SUM(s.n) AS n
FROM score_statistics AS s
WHERE s.segment = 'all'
  AND s.day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY s.day, s.version, s.score_bin
