/* purpose: the bins of each feature that breached, on its day and in the reference it is held against
   grain:   day, version, feature, bin
   reads:   verdicts, reference_bins, feature_statistics
   writes:  incidents (values before and after, the most telling bins) */
WITH breached AS (
  SELECT DISTINCT
    v.day,
    v.version,
    v.feature
  FROM verdicts AS v
  WHERE v.night BETWEEN {{ first | literal }} AND {{ last | literal }}
    AND v.verdict = 'breach'
    AND v.metric IN ('psi', 'missing_rate')
),
owners AS (
  SELECT DISTINCT r.reference FROM reference_bins AS r
),
held AS (
  SELECT
    b.day,
    b.version,
    b.feature,
    COALESCE(w.reference, 'all') AS reference
  FROM breached AS b
  LEFT JOIN owners AS w ON w.reference = b.version
)
SELECT
  h.day,
  h.version,
  h.feature,
  r.bin,
  r.kind,
  r.lower,
  r.upper,
  r.category,
  r.n AS reference_n,
  r.value_sum AS reference_sum,
  COALESCE(f.n, 0) AS n,
  f.value_sum
FROM held AS h
JOIN reference_bins AS r
  ON r.reference = h.reference
  AND r.feature = h.feature
LEFT JOIN feature_statistics AS f
  ON f.day = h.day
  AND f.version = h.version
  AND f.feature = h.feature
  AND f.bin = r.bin
ORDER BY h.day, h.version, h.feature, r.bin
