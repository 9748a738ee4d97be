{# The ages at which a triangle is read, each with the prediction days whose night of that age falls in the period. #}
{% macro ages_read(ages) %}
ages AS (
  SELECT age, first_day, last_day
  FROM (
    VALUES
      {% for one in ages %}
      {% if not loop.first %}, {% endif %}({{ one.age | literal }}, {{ one.first | literal }}, {{ one.last | literal }})
      {% endfor %}
  ) AS given (age, first_day, last_day)
)
{%- endmacro %}
{# What a triangle holds of each day by each age, summed; `sums` come before it. #}
{% macro known_by(table) %}
  FROM {{ table | ident }} AS s
  JOIN ages AS a
    ON s.label_age <= a.age
    AND s.day BETWEEN a.first_day AND a.last_day
  GROUP BY s.day, a.age, s.version, s.segment
{%- endmacro %}
{# Every prediction's day beside what is `known` of it by each age, 0 where nothing is: counts are whole, sums are not. #}
{% macro beside_predictions(counts, sums=()) %}
SELECT
  p.day,
  a.age AS label_age,
  p.version,
  p.segment,
  p.n
  {% for name in counts %}
  , CAST(COALESCE(k.{{ name | ident }}, 0) AS BIGINT) AS {{ name | ident }}
  {% endfor %}
  {% for name in sums %}
  , CAST(COALESCE(k.{{ name | ident }}, 0) AS DOUBLE) AS {{ name | ident }}
  {% endfor %}
FROM prediction_statistics AS p
JOIN ages AS a ON p.day BETWEEN a.first_day AND a.last_day
LEFT JOIN known AS k
  ON k.day = p.day
  AND k.age = a.age
  AND k.version = p.version
  AND k.segment = p.segment
ORDER BY p.day, a.age, p.version, p.segment
{%- endmacro %}
