/* purpose: what earlier nights expected of each figure, and how far it lay from that
   grain:   metric, version, feature, segment, label_age, day
   reads:   verdicts
   writes:  verdicts (a night is judged by the residuals of the nights before it) */
SELECT
  v.metric,
  v.version,
  v.feature,
  v.segment,
  v.label_age,
  v.day,
  MIN(v.expected) AS expected,
  MIN(v.distance) AS distance
FROM verdicts AS v
WHERE v.night >= {{ first | literal }}
  AND v.night < {{ before | literal }}
  AND v.detector IN ('prophet', 'seasonal_median', 'ewma', 'scatter')
GROUP BY v.metric, v.version, v.feature, v.segment, v.label_age, v.day
