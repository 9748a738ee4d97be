/* purpose: the breaches of the period's nights
   grain:   night, rule, metric, version, feature, segment, label_age
   reads:   verdicts
   writes:  incidents, decisions, outbox */
SELECT
  v.night,
  v.rule,
  v.metric,
  v.version,
  v.feature,
  v.segment,
  v.label_age,
  v.day,
  v.severity,
  v.action,
  v.detector,
  v.value,
  v.n,
  v.expected,
  v.lower,
  v.upper,
  v.reason
FROM verdicts AS v
WHERE v.night BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND v.verdict = 'breach'
ORDER BY v.night, v.rule, v.metric, v.version, v.feature, v.segment, v.label_age, v.severity
