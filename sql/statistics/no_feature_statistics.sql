/* purpose: no rows, for nights on which there is no reference yet
   grain:   day, version, feature, bin, part
   reads:   nothing
   writes:  feature_parts */
SELECT
  DATE '1970-01-01' AS day,
  '' AS version,
  '' AS feature,
  0 AS bin,
  0 AS part,
  0 AS n,
  0 AS value_sum,
  0 AS value_square_sum,
  CAST(NULL AS DOUBLE) AS value_min,
  CAST(NULL AS DOUBLE) AS value_max
WHERE 1 = 0
