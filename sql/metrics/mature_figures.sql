/* purpose: what labels said at the last age, told by earlier nights
   grain:   day, version, metric
   reads:   metrics
   writes:  estimates, estimator_card */
SELECT
  m.day,
  m.version,
  m.metric,
  m.value
FROM metrics AS m
WHERE m.segment = 'all'
  AND m.state = 'final'
  AND m.label_age = {{ age | literal }}
  AND m.metric IN {{ metrics | literal }}
  AND m.day >= {{ first | literal }}
  AND m.day + m.label_age < {{ before | literal }}
