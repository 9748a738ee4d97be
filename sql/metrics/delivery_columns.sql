/* purpose: the columns of each delivery, each beside what it was in the delivery of the same source before
   grain:   day, source, name
   reads:   delivery_columns
   writes:  metrics (schema_changes, column_new, column_gone, column_retyped)
   A column that only one of the two has is NULL on the other side. The first delivery is compared with nothing. */
WITH opened AS (
  SELECT DISTINCT c.day, c.source FROM delivery_columns AS c
  WHERE c.day <= {{ last | literal }}
),
numbered AS (
  SELECT
    o.day,
    o.source,
    LAG(o.day) OVER (PARTITION BY o.source ORDER BY o.day) AS former_day
  FROM opened AS o
),
compared AS (
  SELECT n.day, n.source, n.former_day FROM numbered AS n
  WHERE n.day >= {{ first | literal }} AND n.former_day IS NOT NULL
),
before AS (
  SELECT p.day, p.source, c.name, c.kind
  FROM compared AS p
  JOIN delivery_columns AS c
    ON c.source = p.source
    AND c.day = p.former_day
),
after AS (
  SELECT p.day, p.source, c.name, c.kind
  FROM compared AS p
  JOIN delivery_columns AS c
    ON c.source = p.source
    AND c.day = p.day
)
SELECT
  COALESCE(a.day, b.day) AS day,
  COALESCE(a.source, b.source) AS source,
  COALESCE(a.name, b.name) AS name,
  b.kind AS former_kind,
  a.kind
FROM after AS a
FULL JOIN before AS b
  ON b.day = a.day
  AND b.source = a.source
  AND b.name = a.name
ORDER BY 1, 2, 3
