/* purpose: no rows, for nights on which there is no reference yet
   grain:   day, version, feature, bin
   reads:   nothing
   writes:  feature_statistics */
SELECT
  DATE '1970-01-01' AS day,
  '' AS version,
  '' AS feature,
  0 AS bin,
  0 AS n,
  0 AS value_sum,
  0 AS value_square_sum
WHERE 1 = 0
