/* purpose: right and wrong decisions of days whose last label age has passed, per segment; what reweighting is made of
   grain:   day, version, segment
   reads:   label_statistics
   writes:  estimates */
SELECT
  l.day,
  l.version,
  l.segment,
  CAST(SUM(CASE WHEN l.decision = 1 AND l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_true_positive,
  CAST(SUM(CASE WHEN l.decision = 1 AND l.label = 0 THEN l.n ELSE 0 END) AS BIGINT) AS n_false_positive,
  CAST(SUM(CASE WHEN l.decision = 0 AND l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_false_negative,
  CAST(SUM(CASE WHEN l.decision = 0 AND l.label = 0 THEN l.n ELSE 0 END) AS BIGINT) AS n_true_negative
FROM label_statistics AS l
WHERE l.version <> 'all'
  AND l.decision IS NOT NULL
  AND l.label_age <= {{ age | literal }}
  AND l.day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY l.day, l.version, l.segment
