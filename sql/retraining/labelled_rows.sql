/* purpose: live predictions with their features and the last label known by a night, newest whole days first up to a limit
   grain:   day, id
   reads:   predictions, labels
   writes:  nothing; a candidate is trained on it */
WITH known AS (
  SELECT
    l.id,
    l.label,
    ROW_NUMBER() OVER (PARTITION BY l.id ORDER BY l.known_day DESC) AS recency
  FROM labels AS l
  WHERE l.known_day <= {{ night | literal }}
),
labelled AS (
  SELECT
    p.day,
    p.id,
    p.version,
    p.score,
    p.decision,
{% for feature in features %}
    p.{{ feature | ident }},
{% endfor %}
    k.label
  FROM predictions AS p
  INNER JOIN known AS k
    ON k.id = p.id
  WHERE k.recency = 1
    AND k.label IS NOT NULL
    AND p.role = 'live'
    AND p.day <= {{ night | literal }}
),
days AS (
  SELECT
    l.day,
    SUM(COUNT(*)) OVER (ORDER BY l.day DESC) AS n_since
  FROM labelled AS l
  GROUP BY l.day
)
SELECT
  l.day,
  l.id,
  l.version,
  l.score,
  l.decision,
{% for feature in features %}
  l.{{ feature | ident }},
{% endfor %}
  l.label
FROM labelled AS l
INNER JOIN days AS d
  ON d.day = l.day
WHERE d.n_since <= {{ most_rows | literal }}
ORDER BY l.day, l.id, l.version
