/* purpose: the outcome triangle; each change of what is known about a prediction's outcome counts on the day it became known
   grain:   day, known_day, version, segment
   reads:   predictions, told_outcomes
   writes:  outcome_statistics
   The empty value of a conversion is unknown and adds nothing: n_unvalued counts these. What did not convert is worth 0.
   Only ids with several outcomes are put in order: sorting all of them costs more than the join. */
{% from "statistics/belonging.sql" import among, belongs, key, known, predicted, same %}
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, names, grouping_sets %}
{% macro without(converted, value) %}CASE WHEN {{ converted | ident }} = 1 AND {{ value | ident }} IS NULL THEN 1 ELSE 0 END{% endmacro %}
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
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    o.converted,
    o.value,
    o.value_square,
    f.converted AS former_converted,
    f.value AS former_value,
    f.value_square AS former_value_square,
    COALESCE(f.version_number, 1) AS version_number
  FROM told AS o
  JOIN predictions AS p ON {{ belongs("o", "p", outcomes_dated) }}
  LEFT JOIN former AS f ON {{ same("o", "f", outcomes_dated) }} AND f.known_day = o.known_day
  WHERE p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
entries AS (
  SELECT
    day,
    known_day,
    DATE_DIFF('day', day, known_day) AS label_age,
    role,
    version,
    {{ names(segments) }}
    CASE WHEN version_number = 1 THEN 1 ELSE 0 END AS n,
    converted - COALESCE(former_converted, 0) AS converted,
    {{ without("converted", "value") }} - {{ without("former_converted", "former_value") }} AS unvalued,
    COALESCE(value, 0) - COALESCE(former_value, 0) AS value,
    COALESCE(value_square, 0) - COALESCE(former_value_square, 0) AS value_square
  FROM events
  WHERE known_day >= {{ period.first | literal }}
),
counted AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    SUM(n) AS n,
    SUM(converted) AS n_converted,
    SUM(unvalued) AS n_unvalued,
    SUM(value) AS value_sum,
    SUM(value_square) AS value_square_sum
  FROM entries
  WHERE label_age <= {{ horizon | literal }}
  {{ grouping_sets(["day", "known_day", "label_age", "role", "version"], segments) }}
),
both_ways AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    segment,
    n,
    n_converted,
    n_unvalued,
    value_sum,
    value_square_sum
  FROM counted
  UNION ALL
  SELECT
    day,
    known_day,
    label_age,
    role,
    'all' AS version,
    segment,
    SUM(n) AS n,
    SUM(n_converted) AS n_converted,
    SUM(n_unvalued) AS n_unvalued,
    SUM(value_sum) AS value_sum,
    SUM(value_square_sum) AS value_square_sum
  FROM counted
  WHERE role = 'live'
  GROUP BY day, known_day, label_age, role, segment
)
SELECT
  day,
  known_day,
  label_age,
  version,
  segment,
  n,
  n_converted,
  n_unvalued,
  value_sum,
  value_square_sum
FROM both_ways
WHERE role = 'live' OR segment = 'all'
