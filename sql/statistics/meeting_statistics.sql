/* purpose: rows that a live version and a shadow or challenger both answered, of a model with several classes or of numbers
   grain:   day, known_day, version, other
   reads:   predictions, told_labels
   writes:  meeting_statistics
   On its own day a pair counts in n; a label counts +1 on the day it became known, a correction takes the former one back.
   Of numbers, absolute is |score - label| and gap the other's less the live one's; they agree where both say the same number. */
{% from "statistics/belonging.sql" import belongs, known, predicted %}
{% from "statistics/parts.sql" import version_of %}
{% set said = {"multiclass": "decision_text", "regression": "score"}[task] %}
{% set truth = {"multiclass": "label_text", "regression": "label_value"}[task] %}
{% set sums = ["absolute", "other_absolute", "gap", "gap_square"] %}
{% set cells = ["n_both_right", "n_only_live", "n_only_other", "n_both_wrong"] %}
WITH touched AS (
  {{ known("labels", labels_dated, period) }}
  UNION
  {{ predicted(labels_dated, period) }}
),
others AS (
  SELECT
    o.day,
    o.source,
    o.id,
    {{ version_of("o") }} AS version,
    o.{{ said | ident }} AS said
  FROM predictions AS o
  JOIN touched AS t ON {{ belongs("t", "o", labels_dated) }}
  WHERE o.role <> 'live'
    AND o.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
pairs AS (
  SELECT
    p.day,
    p.id,
    o.source,
    p.version,
    o.version AS other,
    p.{{ said | ident }} AS said,
    o.said AS other_said
  FROM others AS o
  JOIN predictions AS p ON p.id = o.id AND p.day = o.day
  WHERE p.role = 'live'
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.version,
    p.other,
    p.said,
    p.other_said,
    l.{{ truth | ident }} AS label,
    LAG(l.{{ truth | ident }}) OVER (PARTITION BY p.day, p.source, p.id ORDER BY l.known_day) AS former_label
  FROM pairs AS p
  JOIN told_labels AS l ON {{ belongs("l", "p", labels_dated) }}
  WHERE l.{{ truth | ident }} IS NOT NULL
    {% if task == "regression" %}
    AND ABS(l.label_value) < 1e12
    AND ABS(p.said) < 1e12
    AND ABS(p.other_said) < 1e12
    {% endif %}
    AND l.known_day <= {{ period.last | literal }}
),
entries AS (
  SELECT day, known_day, version, other, said, other_said, label, 1 AS sign
  FROM events
  WHERE former_label IS NULL OR former_label <> label
  UNION ALL
  SELECT day, known_day, version, other, said, other_said, former_label AS label, -1 AS sign
  FROM events
  WHERE former_label <> label
),
judged AS (
  SELECT
    day,
    known_day,
    version,
    other,
    0 AS n,
    0 AS n_agreed,
    sign AS n_judged,
    {% if task == "regression" %}
    0 AS n_both_right,
    0 AS n_only_live,
    0 AS n_only_other,
    0 AS n_both_wrong,
    CAST(sign * ABS(said - label) AS DECIMAL(38, 9)) AS absolute,
    CAST(sign * ABS(other_said - label) AS DECIMAL(38, 9)) AS other_absolute,
    CAST(sign * (ABS(other_said - label) - ABS(said - label)) AS DECIMAL(38, 9)) AS gap,
    CAST(sign * (ABS(other_said - label) - ABS(said - label)) * (ABS(other_said - label) - ABS(said - label)) AS DECIMAL(38, 9)) AS gap_square
    {% else %}
    CASE WHEN said = label AND other_said = label THEN sign ELSE 0 END AS n_both_right,
    CASE WHEN said = label AND other_said <> label THEN sign ELSE 0 END AS n_only_live,
    CASE WHEN said <> label AND other_said = label THEN sign ELSE 0 END AS n_only_other,
    CASE WHEN said <> label AND other_said <> label THEN sign ELSE 0 END AS n_both_wrong,
    0 AS absolute,
    0 AS other_absolute,
    0 AS gap,
    0 AS gap_square
    {% endif %}
  FROM entries
  WHERE known_day >= {{ period.first | literal }}
    AND DATE_DIFF('day', day, known_day) <= {{ label_horizon | literal }}
    AND said IS NOT NULL
    AND other_said IS NOT NULL
),
every AS (
  SELECT
    day,
    day AS known_day,
    version,
    other,
    1 AS n,
    CASE WHEN said = other_said THEN 1 ELSE 0 END AS n_agreed,
    0 AS n_judged,
    {% for cell in cells %}0 AS {{ cell | ident }}, {% endfor %}
    {% for sum in sums %}0 AS {{ sum | ident }}{% if not loop.last %}, {% endif %}{% endfor %}
  FROM pairs
  WHERE day >= {{ period.first | literal }}
  UNION ALL
  SELECT
    day,
    known_day,
    version,
    other,
    n,
    n_agreed,
    n_judged,
    {% for cell in cells %}{{ cell | ident }}, {% endfor %}
    {% for sum in sums %}{{ sum | ident }}{% if not loop.last %}, {% endif %}{% endfor %}
  FROM judged
)
SELECT
  day,
  known_day,
  DATE_DIFF('day', day, known_day) AS label_age,
  version,
  other,
  SUM(n) AS n,
  SUM(n_agreed) AS n_agreed,
  SUM(n_judged) AS n_judged,
  {% for cell in cells %}
  SUM({{ cell | ident }}) AS {{ cell | ident }},
  {% endfor %}
  {% for sum in sums %}
  SUM({{ sum | ident }}) AS {{ (sum ~ "_sum") | ident }}{% if not loop.last %}, {% endif %}
  {% endfor %}
FROM every
GROUP BY day, known_day, version, other
