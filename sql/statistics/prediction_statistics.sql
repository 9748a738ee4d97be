/* purpose: predictions counted per day, version and segment
   grain:   day, version, segment
   reads:   predictions
   writes:  prediction_statistics
   A score that is not between 0 and 1 is no probability: it counts in n_improper, and its row like one without score. */
{% from "statistics/parts.sql" import version_of, segment_columns, segment_label, grouping_sets, names, probability, exact, exact_square %}
WITH served AS (
  SELECT
    p.day,
    p.role,
    {{ version_of("p") }} AS version,
    {{ segment_columns(segments, "p") }}
    p.score,
    {% if task == "regression" %}
    p.score AS probability,
    {% else %}
    {{ probability("p") }} AS probability,
    {% endif %}
    {% if task == "multiclass" %}
    p.decision_text AS decision
    {% else %}
    p.decision
    {% endif %}
  FROM predictions AS p
  WHERE p.day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
),
answers AS (
  SELECT
    day,
    role,
    version,
    {{ names(segments) }}
    probability AS score,
    CASE WHEN score IS NOT NULL AND probability IS NULL THEN 1 ELSE 0 END AS improper,
    decision,
    {% if task == "regression" %}
    CASE WHEN ABS(score) < 1e12 THEN {{ exact("score") }} END AS score_exact,
    CASE WHEN ABS(score) < 1e12 THEN {{ exact_square("score") }} END AS score_square_exact
    {% else %}
    CAST(ROUND(probability * 1e9) AS BIGINT) AS score_exact,
    CAST(ROUND(probability * probability * 1e9) AS BIGINT) AS score_square_exact
    {% endif %}
  FROM served
),
counted AS (
  SELECT
    day,
    role,
    version,
    {{ segment_label(segments) }} AS segment,
    COUNT(*) AS n,
    COUNT(score) AS n_scored,
    SUM(improper) AS n_improper,
    COUNT(decision) AS n_decided,
    {% if task == "multiclass" %}
    0 AS n_positive,
    {% else %}
    SUM(CASE WHEN decision = 1 THEN 1 ELSE 0 END) AS n_positive,
    {% endif %}
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact
  FROM answers
  {{ grouping_sets(["day", "role", "version"], segments) }}
),
both_ways AS (
  SELECT day, role, version, segment, n, n_scored, n_improper, n_decided, n_positive, score_exact, score_square_exact
  FROM counted
  UNION ALL
  SELECT
    day,
    role,
    'all' AS version,
    segment,
    SUM(n) AS n,
    SUM(n_scored) AS n_scored,
    SUM(n_improper) AS n_improper,
    SUM(n_decided) AS n_decided,
    SUM(n_positive) AS n_positive,
    SUM(score_exact) AS score_exact,
    SUM(score_square_exact) AS score_square_exact
  FROM counted
  WHERE role = 'live'
  GROUP BY day, role, segment
)
SELECT
  day,
  version,
  segment,
  n,
  n_scored,
  n_improper,
  n_decided,
  n_positive,
  {% if task == "regression" %}
  score_exact AS score_sum,
  score_square_exact AS score_square_sum
  {% else %}
  score_exact / 1e9 AS score_sum,
  score_square_exact / 1e9 AS score_square_sum
  {% endif %}
FROM both_ways
WHERE role = 'live' OR segment = 'all'
