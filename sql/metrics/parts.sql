/* purpose: rows per feature and part of a bin beside the reference's; a part that only one side has counts 0 on the other
   grain:   day, version, feature, bin, part
   reads:   feature_parts, reference_parts
   writes:  metrics (distances other than psi, outliers, unseen values, constant columns)
   A version is held against its own reference, else against the one for all; edges are always those of the profile,
   and the expected counts too, unless past days are the reference. */
{% from "metrics/past.sql" import is_past %}
WITH observed AS (
  SELECT
    f.day,
    f.version,
    f.feature,
    f.bin,
    f.part,
    f.n,
    f.value_min,
    f.value_max
  FROM feature_parts AS f
  WHERE f.day BETWEEN {{ first | literal }} AND {{ last | literal }}
    {% if pooled %}
    AND f.version = 'all'
    {% endif %}
),
owners AS (
  SELECT DISTINCT r.reference FROM reference_parts AS r
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
    p.part,
    CAST(SUM(p.n) AS BIGINT) AS n
  FROM series AS s
  JOIN feature_parts AS p
    ON p.version = s.version
    AND p.feature = s.feature
    AND {{ is_past("p", "s", past) }}
  GROUP BY s.day, s.version, s.feature, p.bin, p.part
  {% else %}
  SELECT
    s.day,
    s.version,
    s.feature,
    r.bin,
    r.part,
    r.n
  FROM series AS s
  JOIN reference_parts AS r
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
    COALESCE(o.part, e.part) AS part,
    COALESCE(e.n, 0) AS reference_n,
    COALESCE(o.n, 0) AS n,
    o.value_min,
    o.value_max
  FROM observed AS o
  FULL JOIN expected AS e
    ON e.day = o.day
    AND e.version = o.version
    AND e.feature = o.feature
    AND e.bin = o.bin
    AND e.part = o.part
)
SELECT
  c.day,
  c.version,
  c.feature,
  c.bin,
  c.part,
  s.reference,
  c.reference_n,
  c.n,
  c.value_min,
  c.value_max
FROM counted AS c
JOIN series AS s
  ON s.day = c.day
  AND s.version = c.version
  AND s.feature = c.feature
ORDER BY c.day, c.version, c.feature, c.bin, c.part
