/* purpose: the segments of the metrics that breached as a whole, and how many labels are known; the days before too
   grain:   metric, segment, label_age, day
   reads:   metrics
   writes:  incidents (which segments carry a change, label coverage) */
SELECT
  m.metric,
  m.segment,
  m.label_age,
  m.day,
  m.value,
  m.n
FROM metrics AS m
WHERE m.day + COALESCE(m.label_age, 0) BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND m.version = 'all'
  AND m.feature = ''
  AND m.value IS NOT NULL
  AND (
    (m.metric IN {{ metrics | literal }} AND m.segment <> 'all')
    OR (m.metric = 'coverage' AND m.segment = 'all')
  )
ORDER BY m.metric, m.segment, m.label_age, m.day
