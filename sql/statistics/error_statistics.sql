/* purpose: the label triangle of a regression model; each change of what is known about a prediction counts on the day it became known
   grain:   day, known_day, version, segment, bin
   reads:   predictions, told_labels
   writes:  error_statistics
   error = score - label. A first label counts +1, a correction takes the former error back and adds the new one.
   bin is 0 for an error within 1e-15 of 0, else its sign times (2000 + ceil(ln|error| / ln 1.02)), so that bins ascend with errors and a quantile
   of any sum of days is within 1 %. Sums are exact decimals; a score or label of 1e12 or more is no number to reckon with. */
{% from "statistics/belonging.sql" import belongs, known, predicted, same %}
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, names, grouping_sets, exact, exact_square %}
{% set sums = ["error", "absolute", "square", "ratio", "label", "label_square"] %}
WITH touched AS (
  {{ known("labels", labels_dated, period) }}
  UNION
  {{ predicted(labels_dated, period) }}
),
events AS (
  SELECT
    p.day,
    CASE WHEN l.known_day < p.day THEN p.day ELSE l.known_day END AS known_day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    p.score,
    l.label_value AS label,
    LAG(l.label_value) OVER (PARTITION BY p.day, p.source, p.id ORDER BY l.known_day) AS former_label
  FROM told_labels AS l
  JOIN touched AS t ON {{ same("l", "t", labels_dated) }}
  JOIN predictions AS p ON {{ belongs("l", "p", labels_dated) }}
  WHERE l.label_value IS NOT NULL
    AND ABS(l.label_value) < 1e12
    AND (p.score IS NULL OR ABS(p.score) < 1e12)
    AND l.known_day <= {{ period.last | literal }}
    AND p.day BETWEEN {{ horizon_start | literal }} AND {{ period.last | literal }}
),
entries AS (
  SELECT day, known_day, role, version, {{ names(segments) }}score - label AS error, label, 1 AS sign
  FROM events
  WHERE former_label IS NULL OR former_label <> label
  UNION ALL
  SELECT day, known_day, role, version, {{ names(segments) }}score - former_label AS error, former_label AS label, -1 AS sign
  FROM events
  WHERE former_label <> label
),
sized AS (
  SELECT
    day,
    known_day,
    DATE_DIFF('day', day, known_day) AS label_age,
    role,
    version,
    {{ names(segments) }}
    CASE
      WHEN error IS NULL THEN NULL
      WHEN ABS(error) < 1e-15 THEN 0
      WHEN error > 0 THEN 2000 + CAST(CEIL(LN(error) / LN(1.02e0)) AS INTEGER)
      ELSE -2000 - CAST(CEIL(LN(-error) / LN(1.02e0)) AS INTEGER)
    END AS bin,
    sign,
    CASE WHEN error IS NOT NULL AND label <> 0 THEN sign ELSE 0 END AS nonzero,
    CAST(sign * error AS DECIMAL(38, 9)) AS error,
    CAST(sign * ABS(error) AS DECIMAL(38, 9)) AS absolute,
    CAST(sign * error * error AS DECIMAL(38, 9)) AS square,
    CAST(CASE WHEN ABS(label) > 1e-14 THEN sign * ABS(error / label) ELSE 0 END AS DECIMAL(38, 9)) AS ratio,
    CASE WHEN error IS NOT NULL THEN sign * {{ exact("label") }} END AS label,
    CASE WHEN error IS NOT NULL THEN sign * {{ exact_square("label") }} END AS label_square
  FROM entries
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
    bin,
    SUM(sign) AS n,
    {% for sum in sums %}
    SUM({{ sum | ident }}) AS {{ (sum ~ "_sum") | ident }},
    {% endfor %}
    SUM(nonzero) AS n_nonzero
  FROM sized
  WHERE label_age <= {{ horizon | literal }}
  {{ grouping_sets(["day", "known_day", "label_age", "role", "version", "bin"], segments) }}
),
both_ways AS (
  SELECT
    day,
    known_day,
    label_age,
    role,
    version,
    segment,
    {% for sum in sums %}{{ (sum ~ "_sum") | ident }}, {% endfor %}
    bin,
    n,
    n_nonzero
  FROM counted
  UNION ALL
  SELECT
    day,
    known_day,
    label_age,
    role,
    'all' AS version,
    segment,
    {% for sum in sums %}SUM({{ (sum ~ "_sum") | ident }}) AS {{ (sum ~ "_sum") | ident }}, {% endfor %}
    bin,
    SUM(n) AS n,
    SUM(n_nonzero) AS n_nonzero
  FROM counted
  WHERE role = 'live'
  GROUP BY day, known_day, label_age, role, segment, bin
)
SELECT
  day,
  known_day,
  label_age,
  version,
  segment,
  bin,
  n,
  n_nonzero,
  COALESCE(error_sum, 0) AS error_sum,
  COALESCE(absolute_sum, 0) AS absolute_sum,
  COALESCE(square_sum, 0) AS square_sum,
  COALESCE(ratio_sum, 0) AS ratio_sum,
  COALESCE(label_sum, 0) AS label_sum,
  COALESCE(label_square_sum, 0) AS label_square_sum
FROM both_ways
WHERE role = 'live' OR segment = 'all'
