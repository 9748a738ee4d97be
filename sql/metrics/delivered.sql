/* purpose: each day's delivery of each source, with the newest one by then and the day whose columns it is compared with
   grain:   day, source
   reads:   deliveries, delivery_columns
   writes:  metrics (duplicate_rate, misdated_rate, delivery_age, schema_changes) */
WITH opened AS (
  SELECT DISTINCT c.day, c.source FROM delivery_columns AS c
  WHERE c.day <= {{ last | literal }}
),
compared AS (
  SELECT
    o.day,
    o.source,
    LAG(o.day) OVER (PARTITION BY o.source ORDER BY o.day) AS former_day
  FROM opened AS o
),
history AS (
  SELECT
    d.day,
    d.source,
    d.status,
    d.reason,
    d.rows,
    d.duplicates,
    d.misdated,
    MAX(CASE WHEN d.status = 'delivered' THEN d.day END) OVER (PARTITION BY d.source ORDER BY d.day) AS newest,
    SUM(CASE WHEN d.status = 'delivered' THEN 1 ELSE 0 END) OVER (PARTITION BY d.source ORDER BY d.day) AS n_delivered
  FROM deliveries AS d
  WHERE d.day <= {{ last | literal }}
)
SELECT
  h.day,
  h.source,
  h.status,
  h.reason,
  h.rows AS n_rows,
  h.duplicates AS n_duplicates,
  h.misdated AS n_misdated,
  h.newest,
  CAST(h.n_delivered AS BIGINT) AS n_delivered,
  c.day IS NOT NULL AS opened,
  c.former_day
FROM history AS h
LEFT JOIN compared AS c
  ON c.day = h.day
  AND c.source = h.source
WHERE h.day >= {{ first | literal }}
ORDER BY h.day, h.source
