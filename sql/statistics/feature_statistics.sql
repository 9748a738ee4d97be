/* purpose: features, score and decision counted in the bins of their reference, with exact moments
   grain:   day, version, feature, bin
   reads:   feature_parts
   writes:  feature_statistics */
SELECT
  p.day,
  p.version,
  p.feature,
  p.bin,
  SUM(p.n) AS n,
  SUM(p.value_sum) AS value_sum,
  SUM(p.value_square_sum) AS value_square_sum
FROM feature_parts AS p
WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
GROUP BY p.day, p.version, p.feature, p.bin
