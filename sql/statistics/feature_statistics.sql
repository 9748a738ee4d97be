/* purpose: features, score and decision counted in the bins of their reference, with exact moments
   grain:   day, version, feature, bin
   reads:   predictions
   writes:  feature_statistics
   One branch a feature, each reads its own column once. Bins are right-closed; missing -1, unseen -2, infinite -3.
   Sums are made of integers (value times the feature's scale), so that their order does not matter. */
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
    bin,
    COUNT(*) AS n,
    SUM(value_exact) AS value_exact,
    SUM(value_exact * value_exact) AS value_square_exact
  FROM (
    SELECT
      day,
      version,
      {% if f.numeric %}
      CASE
        WHEN {{ f.name | ident }} IS NULL THEN -1
        WHEN ABS({{ f.name | ident }}) > 1.7e308 THEN -3
        {% for edge in f.edges %}
        WHEN {{ f.name | ident }} <= {{ edge | literal }} THEN {{ loop.index0 | literal }}
        {% endfor %}
        ELSE {{ f.otherwise | literal }}
      END AS bin,
      CASE
        WHEN ABS({{ f.name | ident }}) < {{ f.summed_below | literal }}
          THEN CAST(ROUND({{ f.name | ident }} * {{ f.scale | literal }}) AS BIGINT)
      END AS value_exact
      {% else %}
      CASE
        WHEN {{ f.name | ident }} IS NULL THEN -1
        {% for category in f.categories %}
        WHEN {{ f.name | ident }} = {{ category | literal }} THEN {{ loop.index0 | literal }}
        {% endfor %}
        ELSE {{ f.otherwise | literal }}
      END AS bin,
      CAST(NULL AS BIGINT) AS value_exact
      {% endif %}
    FROM predictions
    WHERE day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
      AND role = 'live'
      {% if f.version is not none %}
      AND version = {{ f.version | literal }}
      {% endif %}
  ) AS binned
  GROUP BY day, version, bin
  {% endfor %}
),
both_ways AS (
  SELECT day, version, feature, scale, bin, n, value_exact, value_square_exact
  FROM counted
  {% if pooled %}
  UNION ALL
  SELECT
    day,
    'all' AS version,
    feature,
    scale,
    bin,
    SUM(n) AS n,
    SUM(value_exact) AS value_exact,
    SUM(value_square_exact) AS value_square_exact
  FROM counted
  GROUP BY day, feature, scale, bin
  {% endif %}
)
SELECT
  day,
  version,
  feature,
  bin,
  n,
  value_exact / scale AS value_sum,
  value_square_exact / scale / scale AS value_square_sum
FROM both_ways
