/* purpose: labels or outcomes known before the period of what it touches: ids that are told of in it, or predicted
   grain:   as labels or outcomes have it
   reads:   labels or outcomes, predictions
   writes:  nothing; `told_labels` and `told_outcomes` show them beside what became known in the period
   An id may be corrected, or predicted again, at any time: so all that is older is looked through, but once for all statements.
   What names the day of its prediction is looked for from the first day on that the period's own rows name. */
{% from "statistics/belonging.sql" import among, known, predicted %}
WITH touched AS (
  {{ known(table, dated, period) }}
  UNION ALL
  {{ predicted(dated, period) }}
)
SELECT
  {% for name in columns %}
  {{ name | ident }}{% if not loop.last %}, {% endif %}

  {% endfor %}
FROM {{ table | ident }}
WHERE known_day < {{ period.first | literal }}
  {% if dated %}
  AND predicted_day >= {{ since | literal }}
  {% endif %}
  AND {{ among("touched", dated) }}
