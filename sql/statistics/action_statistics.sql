/* purpose: the outcome triangle by what was decided, so that answers acted on can be held against the others
   grain:   day, known_day, version, decision
   reads:   predictions, told_outcomes
   writes:  action_statistics
   A prediction counts in n_predicted on its own day, its outcome on the day it became known; each change of what is known
   about an outcome counts on the day it became known. Live answers only: the others are not acted on.
   An empty click is unknown and none: n_clicked_known counts the outcomes that say whether there was one.
   Only ids with several outcomes are put in order: sorting all of them costs more than the join. */
{% from "statistics/belonging.sql" import among, belongs, key, known, predicted, same %}
{% macro told(cell) %}CASE WHEN {{ cell | ident }} IS NULL THEN 0 ELSE 1 END{% endmacro %}
WITH touched AS (
  {{ known("outcomes", outcomes_dated, period) }}
  UNION ALL
  {{ predicted(outcomes_dated, period) }}
),
told AS (
  SELECT
    {{ key(outcomes_dated) }},
    known_day,
    converted,
    clicked,
    CAST(value AS DECIMAL(38, 9)) AS value,
    CAST(value * value AS DECIMAL(38, 9)) AS value_square
  FROM told_outcomes
  WHERE converted IS NOT NULL
    AND known_day <= {{ period.last | literal }}
    AND {{ among("touched", outcomes_dated) }}
),
corrected AS (
  SELECT {{ key(outcomes_dated) }} FROM told
  GROUP BY {{ key(outcomes_dated) }}
  HAVING COUNT(*) > 1
),
former AS (
  SELECT
    {{ key(outcomes_dated) }},
    known_day,
    LAG(converted) OVER life AS converted,
    LAG(clicked) OVER life AS clicked,
    LAG(value) OVER life AS value,
    LAG(value_square) OVER life AS value_square,
    ROW_NUMBER() OVER life AS version_number
  FROM told
  WHERE {{ among("corrected", outcomes_dated) }}
  WINDOW life AS (PARTITION BY {{ key(outcomes_dated) }} ORDER BY known_day)
),
events AS (
  SELECT
    p.day,
    CASE WHEN o.known_day < p.day THEN p.day ELSE o.known_day END AS known_day,
    p.version,
    p.decision,
    o.converted,
    o.clicked,
    o.value,
    o.value_square,
    f.converted AS former_converted,
    f.clicked AS former_clicked,
    f.value AS former_value,
    f.value_square AS former_value_square,
    COALESCE(f.version_number, 1) AS version_number
  FROM told AS o
  JOIN predictions AS p ON {{ belongs("o", "p", outcomes_dated) }}
  LEFT JOIN former AS f ON {{ same("o", "f", outcomes_dated) }} AND f.known_day = o.known_day
  WHERE p.role = 'live'
    AND p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
entries AS (
  SELECT
    day,
    known_day,
    version,
    decision,
    0 AS n_predicted,
    CASE WHEN version_number = 1 THEN 1 ELSE 0 END AS n,
    COALESCE(clicked, 0) - COALESCE(former_clicked, 0) AS clicked,
    {{ told("clicked") }} - {{ told("former_clicked") }} AS clicked_known,
    converted - COALESCE(former_converted, 0) AS converted,
    COALESCE(value, 0) - COALESCE(former_value, 0) AS value,
    COALESCE(value_square, 0) - COALESCE(former_value_square, 0) AS value_square
  FROM events
  WHERE known_day >= {{ period.first | literal }}
    AND DATE_DIFF('day', day, known_day) <= {{ outcome_horizon | literal }}
  UNION ALL
  SELECT
    p.day,
    p.day AS known_day,
    p.version,
    p.decision,
    1 AS n_predicted,
    0 AS n,
    0 AS clicked,
    0 AS clicked_known,
    0 AS converted,
    0 AS value,
    0 AS value_square
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
    AND p.role = 'live'
),
counted AS (
  SELECT
    day,
    known_day,
    version,
    decision,
    SUM(n_predicted) AS n_predicted,
    SUM(n) AS n,
    SUM(clicked) AS n_clicked,
    SUM(clicked_known) AS n_clicked_known,
    SUM(converted) AS n_converted,
    SUM(value) AS value_sum,
    SUM(value_square) AS value_square_sum
  FROM entries
  GROUP BY day, known_day, version, decision
),
both_ways AS (
  SELECT
    day,
    known_day,
    version,
    decision,
    n_predicted,
    n,
    n_clicked,
    n_clicked_known,
    n_converted,
    value_sum,
    value_square_sum
  FROM counted
  UNION ALL
  SELECT
    day,
    known_day,
    'all' AS version,
    decision,
    SUM(n_predicted) AS n_predicted,
    SUM(n) AS n,
    SUM(n_clicked) AS n_clicked,
    SUM(n_clicked_known) AS n_clicked_known,
    SUM(n_converted) AS n_converted,
    SUM(value_sum) AS value_sum,
    SUM(value_square_sum) AS value_square_sum
  FROM counted
  GROUP BY day, known_day, decision
)
SELECT
  day,
  known_day,
  DATE_DIFF('day', day, known_day) AS label_age,
  version,
  decision,
  n_predicted,
  n,
  n_clicked,
  n_clicked_known,
  n_converted,
  value_sum,
  value_square_sum
FROM both_ways
