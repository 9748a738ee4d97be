/* purpose: every incident's last row before a night: the open ones, and those whose days late figures may tell of
   grain:   incident
   reads:   incidents
   writes:  incidents */
WITH numbered AS (
  SELECT
    i.night,
    i.incident,
    i.state,
    i.severity,
    i.scope,
    i.opened,
    i.last_breach,
    i.quiet_nights,
    i.evidence,
    ROW_NUMBER() OVER (PARTITION BY i.incident ORDER BY i.night DESC) AS age
  FROM incidents AS i
  WHERE i.night >= {{ since | literal }}
    AND i.night < {{ before | literal }}
),
lives AS (
  SELECT
    i.incident,
    i.night,
    LAG(i.state) OVER (PARTITION BY i.incident ORDER BY i.night) AS former_state
  FROM incidents AS i
  WHERE i.night < {{ before | literal }}
),
reopened AS (
  SELECT
    l.incident,
    MAX(l.night) AS night
  FROM lives AS l
  WHERE l.former_state = 'resolved'
  GROUP BY l.incident
)
SELECT
  n.incident,
  n.state,
  n.severity,
  n.scope,
  n.opened,
  n.last_breach,
  n.quiet_nights,
  n.evidence,
  r.night AS reopened
FROM numbered AS n
LEFT JOIN reopened AS r ON n.incident = r.incident
WHERE n.age = 1
ORDER BY n.opened, n.incident
