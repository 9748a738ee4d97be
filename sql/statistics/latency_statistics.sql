/* purpose: latency counted in logarithmic bins of 2 %, so that quantiles of any sum of days are within 1 %
   grain:   day, version, bin
   reads:   predictions
   writes:  latency_statistics
   bin = ceil(ln(x) / ln(1.02)); latencies of 0 or less go to a bin of their own. */
{% from "statistics/parts.sql" import version_of %}
WITH counted AS (
  SELECT
    p.day,
    p.role,
    {{ version_of("p") }} AS version,
    CASE WHEN p.latency_ms <= 0 THEN -1000000 ELSE CAST(CEIL(LN(p.latency_ms) / LN(1.02e0)) AS INTEGER) END AS bin,
    COUNT(*) AS n
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
    AND p.latency_ms IS NOT NULL
    AND p.latency_ms < 1e300
  GROUP BY 1, 2, 3, 4
)
SELECT day, version, bin, n
FROM counted
UNION ALL
SELECT day, 'all' AS version, bin, SUM(n) AS n
FROM counted
WHERE role = 'live'
GROUP BY day, bin
