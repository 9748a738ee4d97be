/* purpose: the figures that pages look back at; a segment only where a section shows it, or a verdict is about it
   grain:   version, day, metric, feature, segment, label_age
   reads:   metrics, verdicts
   writes:  nothing; the page of a night is made from it
   More than half of all figures are those of one version in one segment. No section shows them.
   Of all versions together, sections show segments of a few figures; an incident may show the one that breached, whenever.
   A figure that has segments only is kept for the list of terms. Days are bounded, too, so that older rows are passed over. */
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
WHERE m.day BETWEEN {{ first_day | literal }} AND {{ last | literal }}
  AND m.day + COALESCE(m.label_age, 0) BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND (
    m.segment = 'all'
    OR (
      m.version = 'all'
      AND (
        (m.metric IN {{ by_segment | literal }} AND m.label_age IN {{ youngest | literal }})
        OR m.metric IN {{ by_group | literal }}
        OR m.metric NOT IN (
          SELECT w.metric
          FROM metrics AS w
          WHERE w.day BETWEEN {{ first_day | literal }} AND {{ last | literal }}
            AND w.segment = 'all'
        )
        OR EXISTS (
          SELECT 1
          FROM verdicts AS b
          WHERE b.verdict = 'breach'
            AND b.night <= {{ last | literal }}
            AND b.metric = m.metric
            AND b.version = m.version
            AND b.segment = m.segment
            AND b.segment <> 'all'
        )
      )
    )
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
