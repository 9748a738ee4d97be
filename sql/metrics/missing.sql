/* purpose: missing values of each feature: of all live versions by segment, and of each version as a whole
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
  AND (m.version = 'all' OR m.segment = 'all')
ORDER BY m.day, m.version, m.segment, m.feature
