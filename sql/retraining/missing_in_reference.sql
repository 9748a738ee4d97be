/* purpose: the share of missing values of each feature, over all references together
   grain:   feature
   reads:   reference_bins
   writes:  nothing; fresh rows are held against it */
SELECT
  r.feature,
  SUM(CASE WHEN r.bin = -1 THEN r.n ELSE 0 END) / NULLIF(SUM(r.n), 0) AS value
FROM reference_bins AS r
GROUP BY r.feature
