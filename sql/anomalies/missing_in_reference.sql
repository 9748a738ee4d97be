/* purpose: the share of missing values in each reference
   grain:   reference, feature
   reads:   reference_bins
   writes:  verdicts (missing_rate against the reference) */
SELECT
  r.reference,
  r.feature,
  SUM(CASE WHEN r.bin = -1 THEN r.n ELSE 0 END) / NULLIF(SUM(r.n), 0) AS value,
  SUM(r.n) AS n
FROM reference_bins AS r
GROUP BY r.reference, r.feature
