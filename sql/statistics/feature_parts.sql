/* purpose: features, score and decision counted in the parts of their reference's bins, with exact moments
   grain:   day, version, feature, bin, part
   reads:   predictions
   writes:  feature_parts
   One branch a feature, each reads its own column once. Bins are right-closed; missing -1, unseen -2, infinite -3.
   A value finds its part by halving, so that forty parts cost little more than ten. `place` is 1000 bin + part.
   Sums are made of integers (value times the feature's scale), so that their order does not matter. */
{% macro place_of(f, low, high) %}
{% if low == high %}{{ f.places[low] | literal }}{% else %}{% set middle = (low + high) // 2 %}CASE WHEN {{ f.column | ident }} <= {{ f.edges[middle] | literal }} THEN {{ place_of(f, low, middle) }} ELSE {{ place_of(f, middle + 1, high) }} END{% endif %}
{% endmacro %}
WITH counted AS (
  {% for f in features %}
  {% if not loop.first %}
  UNION ALL
  {% endif %}
  SELECT
    day,
    version,
    {{ f.name | literal }} AS feature,
    {{ f.scale | literal }} AS scale,
    place,
    COUNT(*) AS n,
    SUM(value_exact) AS value_exact,
    SUM(value_exact * value_exact) AS value_square_exact,
    MIN(value) AS value_min,
    MAX(value) AS value_max
  FROM (
    SELECT
      day,
      version,
      {% if f.numeric %}
      CASE
        WHEN {{ f.column | ident }} IS NULL THEN -1000
        WHEN ABS({{ f.column | ident }}) > 1.7e308 THEN -3000
        ELSE {{ place_of(f, 0, f.last) }}
      END AS place,
      {{ f.column | ident }} + 0.0e0 AS value,
      CASE
        WHEN ABS({{ f.column | ident }}) < {{ f.summed_below | literal }}
          THEN CAST(ROUND({{ f.column | ident }} * {{ f.scale | literal }}) AS BIGINT)
      END AS value_exact
      {% else %}
      CASE
        WHEN {{ f.column | ident }} IS NULL THEN -1000
        {% for category in f.categories %}
        WHEN {{ f.column | ident }} = {{ category | literal }} THEN {{ (1000 * loop.index0) | literal }}
        {% endfor %}
        ELSE {{ (1000 * f.otherwise) | literal }}
      END AS place,
      CAST(NULL AS DOUBLE) AS value,
      CAST(NULL AS BIGINT) AS value_exact
      {% endif %}
    FROM predictions
    WHERE day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
      AND role = 'live'
      {% if f.version is not none %}
      AND version = {{ f.version | literal }}
      {% endif %}
  ) AS binned
  GROUP BY day, version, place
  {% endfor %}
),
both_ways AS (
  SELECT day, version, feature, scale, place, n, value_exact, value_square_exact, value_min, value_max
  FROM counted
  {% if pooled %}
  UNION ALL
  SELECT
    day,
    'all' AS version,
    feature,
    scale,
    place,
    SUM(n) AS n,
    SUM(value_exact) AS value_exact,
    SUM(value_square_exact) AS value_square_exact,
    MIN(value_min) AS value_min,
    MAX(value_max) AS value_max
  FROM counted
  GROUP BY day, feature, scale, place
  {% endif %}
)
SELECT
  day,
  version,
  feature,
  CAST(FLOOR(place / 1000e0) AS INTEGER) AS bin,
  place - 1000 * CAST(FLOOR(place / 1000e0) AS INTEGER) AS part,
  n,
  value_exact / scale AS value_sum,
  value_square_exact / scale / scale AS value_square_sum,
  value_min,
  value_max
FROM both_ways
