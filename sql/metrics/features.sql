/* purpose: rows per feature and bin beside the reference's; a bin that only one side has counts 0 on the other
   grain:   day, version, feature, bin
   reads:   feature_statistics, reference_bins
   writes:  metrics (missing_rate, psi, psi_null_limit), contributions
   A version is held against its own reference, else against the one for all. */
WITH observed AS (
  SELECT
    f.day,
    f.version,
    f.feature,
    f.bin,
    f.n
  FROM feature_statistics AS f
  WHERE f.day BETWEEN {{ first | literal }} AND {{ last | literal }}
),
series AS (
  SELECT DISTINCT
    o.day,
    o.version,
    o.feature
  FROM observed AS o
),
owners AS (
  SELECT DISTINCT r.reference FROM reference_bins AS r
),
expected AS (
  SELECT
    s.day,
    s.version,
    s.feature,
    r.reference,
    r.bin,
    r.n
  FROM series AS s
  LEFT JOIN owners AS w ON w.reference = s.version
  JOIN reference_bins AS r
    ON r.feature = s.feature
    AND r.reference = COALESCE(w.reference, 'all')
)
SELECT
  COALESCE(o.day, e.day) AS day,
  COALESCE(o.version, e.version) AS version,
  COALESCE(o.feature, e.feature) AS feature,
  COALESCE(o.bin, e.bin) AS bin,
  e.reference,
  COALESCE(e.n, 0) AS reference_n,
  COALESCE(o.n, 0) AS n
FROM observed AS o
FULL JOIN expected AS e
  ON e.day = o.day
  AND e.version = o.version
  AND e.feature = o.feature
  AND e.bin = o.bin
ORDER BY 1, 2, 3, 4
