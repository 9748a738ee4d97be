/* purpose: live predictions with their features and the last label known by a night, newest whole days first up to a limit
   grain:   day, id
   reads:   predictions, labels
   writes:  nothing; a candidate is trained on it
   A label that names the day of its prediction is of no other prediction of its id. Days after `mature` are left out: their labels are not complete yet, and early labels are a biased sample. */
WITH known AS (
  SELECT
    l.id,
    {% if dated %}
    l.predicted_day,
    {% endif %}
    l.label,
    l.known_day,
    ROW_NUMBER() OVER (PARTITION BY l.id{% if dated %}, l.predicted_day{% endif %} ORDER BY l.known_day DESC) AS recency
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
{% for column in columns %}
    p.{{ column | ident }},
{% endfor %}
    k.known_day,
    k.label
  FROM predictions AS p
  INNER JOIN known AS k
    ON k.id = p.id
    {% if dated %}
    AND k.predicted_day = p.day
    {% endif %}
  WHERE k.recency = 1
    AND k.label IS NOT NULL
    AND p.role = 'live'
    AND p.day <= {{ mature | literal }}
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
{% for column in columns %}
  l.{{ column | ident }},
{% endfor %}
  l.known_day,
  l.label
FROM labelled AS l
INNER JOIN days AS d
  ON d.day = l.day
WHERE d.n_since <= {{ most_rows | literal }}
ORDER BY l.day, l.id, l.version
