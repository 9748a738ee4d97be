/* purpose: estimates of earlier nights, to be held against what labels said since
   grain:   day, version, metric, basis
   reads:   estimates
   writes:  estimates, estimator_card */
SELECT
  e.day,
  e.version,
  e.metric,
  e.basis,
  e.value,
  e.deviation,
  e.lower,
  e.upper,
  e.n_known
FROM estimates AS e
WHERE e.segment = 'all'
  AND e.day >= {{ first | literal }}
  AND e.day < {{ before | literal }}
