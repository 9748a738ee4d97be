/* purpose: scores of each version counted in bins by decision, labelled or not
   grain:   day, segment, version, score_bin
   reads:   score_statistics
   writes:  estimates */
SELECT
  s.day,
  s.segment,
  s.version,
  s.score_bin / 10 AS bin,
  CAST(SUM(CASE WHEN s.decision = 1 THEN s.n ELSE 0 END) AS BIGINT) AS n_flagged,
  CAST(SUM(CASE WHEN s.decision = 0 THEN s.n ELSE 0 END) AS BIGINT) AS n_passed
FROM score_statistics AS s
WHERE s.version <> 'all'
  AND s.day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY s.day, s.segment, s.version, s.score_bin
ORDER BY s.day, s.segment, s.version, s.score_bin
