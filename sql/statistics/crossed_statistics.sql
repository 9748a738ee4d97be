/* purpose: predictions, labels and outcomes of every pair of segments that is searched, all live versions together
   grain:   day, known_day, segment
   reads:   predictions, told_labels, told_outcomes
   writes:  crossed_statistics
   A prediction counts in n on its own day; labels and outcomes on the day they became known, corrections with -1 and +1.
   The figure is 1 for a right decision and 0 for a wrong one; of a model of numbers it is |score - label|.
   Where only one of labels and outcomes names days, ids alone are what is touched: more rows are read than are counted.
   Only ids with several labels or outcomes are put in order: sorting all of them costs more than the joins. */
{% from "statistics/belonging.sql" import among, belongs, key, known, same %}
{% from "statistics/parts.sql" import segment_columns, names %}
{% set said = {"binary": "decision", "multiclass": "decision_text", "regression": "score"}[task] %}
{% set truth = {"binary": "label", "multiclass": "label_text", "regression": "label_value"}[task] %}
{% if not pairs %}
SELECT
  DATE '1970-01-01' AS day,
  DATE '1970-01-01' AS known_day,
  0 AS label_age,
  '' AS segment,
  0 AS n,
  0 AS n_labelled,
  0 AS n_true_positive,
  0 AS n_false_positive,
  0 AS n_false_negative,
  0 AS n_true_negative,
  0 AS n_judged,
  0 AS figure_sum,
  0 AS figure_square_sum,
  0 AS n_known,
  0 AS n_converted
WHERE 1 = 0
{% else %}
WITH touched AS (
  {{ known("labels", all_dated, period) }}
  UNION ALL
  {{ known("outcomes", all_dated, period) }}
),
answers AS (
  SELECT
    p.day,
    p.id,
    {% if labels_dated or outcomes_dated %}
    p.day AS predicted_day,
    {% endif %}
    p.{{ said | ident }} AS decision,
    {{ segment_columns(pairs, "p") }}
    p.source
  FROM predictions AS p
  WHERE p.role = 'live'
    AND p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
    AND (p.day >= {{ period.first | literal }} OR {% if all_dated %}(p.id, p.day){% else %}p.id{% endif %} IN (SELECT {{ key(all_dated) }} FROM touched))
),
labels_told AS (
  SELECT {{ key(labels_dated) }}, known_day, {{ truth | ident }} AS label FROM told_labels
  WHERE {{ truth | ident }} IS NOT NULL
    {% if task == "regression" %}
    AND ABS(label_value) < 1e12
    {% endif %}
    AND known_day <= {{ period.last | literal }}
    AND {{ among("answers", labels_dated) }}
),
labels_corrected AS (
  SELECT {{ key(labels_dated) }} FROM labels_told
  GROUP BY {{ key(labels_dated) }}
  HAVING COUNT(*) > 1
),
labels_former AS (
  SELECT {{ key(labels_dated) }}, known_day, LAG(label) OVER (PARTITION BY {{ key(labels_dated) }} ORDER BY known_day) AS label
  FROM labels_told
  WHERE {{ among("labels_corrected", labels_dated) }}
),
labelled AS (
  SELECT
    a.day,
    CASE WHEN l.known_day < a.day THEN a.day ELSE l.known_day END AS known_day,
    {{ names(pairs) }}
    a.decision,
    l.label,
    f.label AS former_label
  FROM labels_told AS l
  JOIN answers AS a ON {{ belongs("l", "a", labels_dated) }}
  LEFT JOIN labels_former AS f ON {{ same("l", "f", labels_dated) }} AND f.known_day = l.known_day
  {% if task == "regression" %}
  WHERE a.decision IS NULL OR ABS(a.decision) < 1e12
  {% endif %}
),
outcomes_told AS (
  SELECT {{ key(outcomes_dated) }}, known_day, converted FROM told_outcomes
  WHERE converted IS NOT NULL
    AND known_day <= {{ period.last | literal }}
    AND {{ among("answers", outcomes_dated) }}
),
outcomes_corrected AS (
  SELECT {{ key(outcomes_dated) }} FROM outcomes_told
  GROUP BY {{ key(outcomes_dated) }}
  HAVING COUNT(*) > 1
),
outcomes_former AS (
  SELECT
    {{ key(outcomes_dated) }},
    known_day,
    LAG(converted) OVER (PARTITION BY {{ key(outcomes_dated) }} ORDER BY known_day) AS converted
  FROM outcomes_told
  WHERE {{ among("outcomes_corrected", outcomes_dated) }}
),
told AS (
  SELECT
    a.day,
    CASE WHEN o.known_day < a.day THEN a.day ELSE o.known_day END AS known_day,
    {{ names(pairs) }}
    o.converted,
    f.converted AS former_converted
  FROM outcomes_told AS o
  JOIN answers AS a ON {{ belongs("o", "a", outcomes_dated) }}
  LEFT JOIN outcomes_former AS f ON {{ same("o", "f", outcomes_dated) }} AND f.known_day = o.known_day
),
entries AS (
  SELECT day, day AS known_day, {{ names(pairs) }}NULL AS decision, NULL AS label, 0 AS sign, 1 AS n, 0 AS n_known, 0 AS converted
  FROM answers
  WHERE day >= {{ period.first | literal }}
  UNION ALL
  SELECT day, known_day, {{ names(pairs) }}decision, label, 1 AS sign, 0 AS n, 0 AS n_known, 0 AS converted
  FROM labelled
  WHERE known_day >= {{ period.first | literal }}
    AND (former_label IS NULL OR former_label <> label)
    AND DATE_DIFF('day', day, known_day) <= {{ label_horizon | literal }}
  UNION ALL
  SELECT day, known_day, {{ names(pairs) }}decision, former_label AS label, -1 AS sign, 0 AS n, 0 AS n_known, 0 AS converted
  FROM labelled
  WHERE known_day >= {{ period.first | literal }}
    AND former_label <> label
    AND DATE_DIFF('day', day, known_day) <= {{ label_horizon | literal }}
  UNION ALL
  SELECT
    day,
    known_day,
    {{ names(pairs) }}
    NULL AS decision,
    NULL AS label,
    0 AS sign,
    0 AS n,
    CASE WHEN former_converted IS NULL THEN 1 ELSE 0 END AS n_known,
    converted - COALESCE(former_converted, 0) AS converted
  FROM told
  WHERE known_day >= {{ period.first | literal }}
    AND DATE_DIFF('day', day, known_day) <= {{ outcome_horizon | literal }}
),
counted AS (
  SELECT
    day,
    known_day,
    CASE
      {% for alias, name in pairs.items() %}
      WHEN GROUPING({{ alias | ident }}) = 0 THEN {{ (name[0] ~ "=") | literal }} || {{ alias | ident }}
      {% endfor %}
    END AS segment,
    SUM(n) AS n,
    SUM(sign) AS n_labelled,
    {% if task == "binary" %}
    SUM(CASE WHEN decision = 1 AND label = 1 THEN sign ELSE 0 END) AS n_true_positive,
    SUM(CASE WHEN decision = 1 AND label = 0 THEN sign ELSE 0 END) AS n_false_positive,
    SUM(CASE WHEN decision = 0 AND label = 1 THEN sign ELSE 0 END) AS n_false_negative,
    SUM(CASE WHEN decision = 0 AND label = 0 THEN sign ELSE 0 END) AS n_true_negative,
    {% else %}
    0 AS n_true_positive,
    0 AS n_false_positive,
    0 AS n_false_negative,
    0 AS n_true_negative,
    {% endif %}
    SUM(CASE WHEN decision IS NOT NULL AND label IS NOT NULL THEN sign ELSE 0 END) AS n_judged,
    {% if task == "regression" %}
    COALESCE(SUM(CAST(sign * ABS(decision - label) AS DECIMAL(38, 9))), 0) AS figure_sum,
    COALESCE(SUM(CAST(sign * (decision - label) * (decision - label) AS DECIMAL(38, 9))), 0) AS figure_square_sum,
    {% else %}
    SUM(CASE WHEN decision = label THEN sign ELSE 0 END) AS figure_sum,
    SUM(CASE WHEN decision = label THEN sign ELSE 0 END) AS figure_square_sum,
    {% endif %}
    SUM(n_known) AS n_known,
    SUM(converted) AS n_converted
  FROM entries
  GROUP BY GROUPING SETS (
    {% for alias in pairs %}
    {% if not loop.first %}, {% endif %}(day, known_day, {{ alias | ident }})
    {% endfor %}
  )
)
SELECT
  day,
  known_day,
  DATE_DIFF('day', day, known_day) AS label_age,
  segment,
  n,
  n_labelled,
  n_true_positive,
  n_false_positive,
  n_false_negative,
  n_true_negative,
  n_judged,
  figure_sum,
  figure_square_sum,
  n_known,
  n_converted
FROM counted
{% endif %}
