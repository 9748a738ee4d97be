/* purpose: the figures that rules judge, and the past that they are judged by; live versions only
   grain:   version, day, metric, feature, segment, label_age
   reads:   metrics
   writes:  verdicts */
SELECT
  m.day,
  m.version,
  m.metric,
  m.feature,
  m.segment,
  m.label_age,
  m.value,
  m.n,
  m.lower,
  m.upper,
  m.state,
  m.reason
FROM metrics AS m
WHERE m.day + COALESCE(m.label_age, 0) BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND m.version NOT LIKE 'shadow:%'
  AND m.version NOT LIKE 'challenger:%'
  AND (
    (m.metric IN {{ whole | literal }} AND m.segment = 'all')
    OR (m.metric IN {{ segmented | literal }} AND m.segment <> 'all')
  )
ORDER BY m.metric, m.version, m.feature, m.segment, m.label_age, m.day
