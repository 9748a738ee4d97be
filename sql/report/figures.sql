/* purpose: the figures that pages look back at; a segment of one version only where a verdict in view is about it
   grain:   version, day, metric, feature, segment, label_age
   reads:   metrics, verdicts
   writes:  nothing; the page of a night is made from it
   More than half of all figures are those of one version in one segment. No section shows them. */
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
  AND (
    m.version = 'all'
    OR m.segment = 'all'
    OR EXISTS (
      SELECT 1
      FROM verdicts AS v
      WHERE v.night BETWEEN {{ first | literal }} AND {{ last | literal }}
        AND v.metric = m.metric
        AND v.version = m.version
        AND v.segment = m.segment
        AND v.segment <> 'all'
    )
  )
