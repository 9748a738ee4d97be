/* purpose: labels of days whose last label age has passed, per score bin and decision; what calibrations are made of
   grain:   day, version, bin
   reads:   label_statistics
   writes:  estimates */
SELECT
  l.day,
  l.version,
  (l.score_bin - l.score_bin % 10) / 10 AS bin,
  CAST(SUM(CASE WHEN l.decision = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_flagged,
  CAST(SUM(CASE WHEN l.decision = 0 THEN l.n ELSE 0 END) AS BIGINT) AS n_passed,
  CAST(SUM(CASE WHEN l.decision = 1 AND l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_flagged_positive,
  CAST(SUM(CASE WHEN l.decision = 0 AND l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_passed_positive
FROM label_statistics AS l
WHERE l.segment = 'all'
  AND l.version <> 'all'
  AND l.score_bin IS NOT NULL
  AND l.label_age <= {{ age | literal }}
  AND l.day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY 1, 2, 3
