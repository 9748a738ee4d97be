/* purpose: the figures that rules judge, and the past that they are judged by; live versions only
   grain:   version, day, metric, feature, segment, label_age
   reads:   metrics
   writes:  verdicts
   Each metric from the night on to which its rules look back. Days are bounded, too, so that older rows are passed over. */
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
  AND m.day + COALESCE(m.label_age, 0) <= {{ last | literal }}
  AND m.version NOT LIKE 'shadow:%'
  AND m.version NOT LIKE 'challenger:%'
  AND (
    {% for one in wanted %}
    {% if not loop.first %}
    OR
    {% endif %}
    (
      m.metric IN {{ one.metrics | literal }}
      AND {% if one.whole %}m.segment = 'all'{% else %}m.segment <> 'all'{% endif %}

      AND m.day + COALESCE(m.label_age, 0) >= {{ one.first | literal }}
    )
    {% endfor %}
  )
ORDER BY m.metric, m.version, m.feature, m.segment, m.label_age, m.day
