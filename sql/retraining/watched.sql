/* purpose: accuracy and conversion of a new champion and of the version before it, as far as a night knows them
   grain:   version, metric, label_age, day
   reads:   metrics
   writes:  nothing; a new champion is watched by it */
SELECT
  m.version,
  m.metric,
  m.label_age,
  m.day,
  m.value,
  m.n
FROM metrics AS m
WHERE m.day + COALESCE(m.label_age, 0) <= {{ night | literal }}
  AND m.version IN {{ versions | literal }}
  AND m.metric IN ('accuracy', 'conversion')
  AND m.segment = 'all'
  AND m.state = 'final'
  AND m.value IS NOT NULL
ORDER BY m.version, m.metric, m.label_age, m.day
