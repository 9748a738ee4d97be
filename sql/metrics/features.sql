/* purpose: rows per feature and bin beside the reference's; a bin that only one side has counts 0 on the other
   grain:   day, version, feature, bin
   reads:   feature_statistics, reference_bins
   writes:  metrics (missing_rate, psi, psi_null_limit), contributions
   A version is held against its own reference, else against the one for all; the expected counts are those of past
   days where the spec says so. */
{% from "metrics/past.sql" import is_past %}
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
owners AS (
  SELECT DISTINCT r.reference FROM reference_bins AS r
),
series AS (
  SELECT DISTINCT
    o.day,
    o.version,
    o.feature,
    COALESCE(w.reference, 'all') AS reference
  FROM observed AS o
  LEFT JOIN owners AS w ON w.reference = o.version
),
expected AS (
  {% if past %}
  SELECT
    s.day,
    s.version,
    s.feature,
    p.bin,
    CAST(SUM(p.n) AS BIGINT) AS n
  FROM series AS s
  JOIN feature_statistics AS p
    ON p.version = s.version
    AND p.feature = s.feature
    AND {{ is_past("p", "s", past) }}
  GROUP BY s.day, s.version, s.feature, p.bin
  {% else %}
  SELECT
    s.day,
    s.version,
    s.feature,
    r.bin,
    r.n
  FROM series AS s
  JOIN reference_bins AS r
    ON r.feature = s.feature
    AND r.reference = s.reference
  {% endif %}
),
counted AS (
  SELECT
    COALESCE(o.day, e.day) AS day,
    COALESCE(o.version, e.version) AS version,
    COALESCE(o.feature, e.feature) AS feature,
    COALESCE(o.bin, e.bin) AS bin,
    COALESCE(e.n, 0) AS reference_n,
    COALESCE(o.n, 0) AS n
  FROM observed AS o
  FULL JOIN expected AS e
    ON e.day = o.day
    AND e.version = o.version
    AND e.feature = o.feature
    AND e.bin = o.bin
)
SELECT
  c.day,
  c.version,
  c.feature,
  c.bin,
  s.reference,
  c.reference_n,
  c.n
FROM counted AS c
JOIN series AS s
  ON s.day = c.day
  AND s.version = c.version
  AND s.feature = c.feature
ORDER BY c.day, c.version, c.feature, c.bin
