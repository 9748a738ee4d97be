/* purpose: missing values of each feature, all live versions and each
   grain:   day, version, segment, feature
   reads:   missing_statistics
   writes:  decompositions */
SELECT
  m.day,
  m.version,
  m.segment,
  m.feature,
  m.n AS n_missing
FROM missing_statistics AS m
WHERE m.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY m.day, m.version, m.segment, m.feature
