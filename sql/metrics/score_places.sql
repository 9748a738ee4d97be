/* purpose: scores of any kind counted in their reference's bins, whole days
   grain:   day, version, feature, bin
   reads:   feature_statistics
   writes:  metrics (score_shift of classes and of numbers) */
SELECT
  f.day,
  f.version,
  f.feature,
  f.bin,
  f.n
FROM feature_statistics AS f
WHERE f.feature = 'score'
  AND f.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY f.day, f.version, f.bin
