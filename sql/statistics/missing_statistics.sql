/* purpose: missing values of each feature; all live versions together, and each
   grain:   day, version, segment, feature
   reads:   predictions
   writes:  missing_statistics
   No row where nothing is missing. */
{% from "statistics/parts.sql" import segment_columns, segment_label, grouping_sets %}
{% if not features %}
SELECT
  DATE '1970-01-01' AS day,
  '' AS version,
  '' AS segment,
  '' AS feature,
  0 AS n
WHERE 1 = 0
{% else %}
WITH answers AS (
  SELECT
    p.day,
    p.version,
    {{ segment_columns(segments, "p") }}
    {% for name in features %}
    CASE WHEN p.{{ name | ident }} IS NULL THEN 1 ELSE 0 END AS {{ ("feature " ~ loop.index) | ident }}{% if not loop.last %},{% endif %}

    {% endfor %}
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
    AND p.role = 'live'
),
summed AS (
  SELECT
    day,
    version,
    {{ segment_label(segments) }} AS segment,
    {% for name in features %}
    SUM({{ ("feature " ~ loop.index) | ident }}) AS {{ ("feature " ~ loop.index) | ident }}{% if not loop.last %},{% endif %}

    {% endfor %}
  FROM answers
  {{ grouping_sets(["day", "version"], segments) }}
),
counted AS (
  {% for name in features %}
  {% if not loop.first %}
  UNION ALL
  {% endif %}
  SELECT day, version, segment, {{ name | literal }} AS feature, {{ ("feature " ~ loop.index) | ident }} AS n
  FROM summed
  WHERE {{ ("feature " ~ loop.index) | ident }} > 0
  {% endfor %}
)
SELECT day, version, segment, feature, n
FROM counted
UNION ALL
SELECT day, 'all' AS version, segment, feature, SUM(n) AS n
FROM counted
GROUP BY day, segment, feature
{% endif %}
