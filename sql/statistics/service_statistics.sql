/* purpose: answers of each day: how many, how many failed, the newest, and those of the busiest minute
   grain:   day, version
   reads:   predictions
   writes:  service_statistics
   Minutes are those of the model's clock; answers dated on another day have no minute here and are never the newest. */
{% from "statistics/parts.sql" import version_of %}
WITH answers AS (
  SELECT
    p.day,
    p.role,
    {{ version_of("p") }} AS version,
    p.error,
    CASE WHEN CAST(p.ts AS DATE) = p.day THEN p.ts END AS ts,
    CASE WHEN CAST(p.ts AS DATE) = p.day THEN DATE_DIFF('minute', CAST(p.day AS TIMESTAMP), p.ts) END AS minute_of_day
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
by_minute AS (
  SELECT
    day,
    role,
    version,
    minute_of_day,
    COUNT(*) AS n,
    COUNT(error) AS n_told,
    SUM(error) AS n_error,
    MAX(ts) AS newest
  FROM answers
  GROUP BY day, role, version, minute_of_day
),
both_ways AS (
  SELECT day, version, minute_of_day, n, n_told, n_error, newest
  FROM by_minute
  UNION ALL
  SELECT
    day,
    'all' AS version,
    minute_of_day,
    SUM(n) AS n,
    SUM(n_told) AS n_told,
    SUM(n_error) AS n_error,
    MAX(newest) AS newest
  FROM by_minute
  WHERE role = 'live'
  GROUP BY day, minute_of_day
)
SELECT
  day,
  version,
  SUM(n) AS n,
  SUM(n_told) AS n_told,
  COALESCE(SUM(n_error), 0) AS n_error,
  MAX(newest) AS newest,
  MAX(CASE WHEN minute_of_day IS NOT NULL THEN n END) AS peak
FROM both_ways
GROUP BY day, version
