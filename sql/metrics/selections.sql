/* purpose: predictions, decided ones and positive decisions per day, live version and segment
   grain:   day, version, segment
   reads:   prediction_statistics
   writes:  metrics (fairness, change of version), decompositions, worst_segments, comparisons */
SELECT
  p.day,
  p.version,
  p.segment,
  p.n,
  p.n_decided,
  p.n_positive
FROM prediction_statistics AS p
WHERE p.day BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND p.version NOT LIKE 'shadow:%'
  AND p.version NOT LIKE 'challenger:%'
ORDER BY p.day, p.version, p.segment
