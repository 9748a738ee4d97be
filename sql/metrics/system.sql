/* purpose: what was measured of each resource on each day
   grain:   day, resource
   reads:   system_usage
   writes:  metrics (cpu_cores, cpu_cores_peak, memory_mb, memory_mb_peak) */
SELECT
  u.day,
  u.resource,
  u.mean,
  u.peak,
  u.windows,
  u.expected,
  u.reason
FROM system_usage AS u
WHERE u.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY u.day, u.resource
