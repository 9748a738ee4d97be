/* purpose: how far the figures of earlier nights lay from what was expected of them, drift by its ratio to the bound
   grain:   night, metric, version, feature, segment, label_age
   reads:   verdicts
   writes:  verdicts (odd night) */
SELECT
  v.night,
  v.metric,
  v.version,
  v.feature,
  v.segment,
  COALESCE(v.label_age, 0) AS age,
  MAX(v.distance) AS distance
FROM verdicts AS v
WHERE v.night >= {{ first | literal }}
  AND v.night < {{ before | literal }}
  AND v.verdict <> 'not_evaluated'
  AND v.version = 'all'
  AND v.segment = 'all'
  AND (v.rule LIKE '% outside expected%' OR (v.metric = 'psi' AND v.detector = 'bound'))
GROUP BY v.night, v.metric, v.version, v.feature, v.segment, COALESCE(v.label_age, 0)
ORDER BY v.night, v.metric, v.version, v.feature, v.segment, COALESCE(v.label_age, 0)
