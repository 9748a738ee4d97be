/* purpose: predictions per day, version and segment, with the sums behind the mean score
   grain:   day, version, segment
   reads:   prediction_statistics
   writes:  metrics (volume, score_mean, improper_score_rate)
   The near sums are about `score_about`, a whole number near the mean. */
{% from "metrics/near.sql" import centre, near_sum, near_squares %}
WITH served AS (
  SELECT
    p.day,
    p.version,
    p.segment,
    p.n,
    p.n_scored,
    p.n_improper,
    p.score_sum,
    p.score_square_sum,
    COALESCE({{ centre("score_sum", "n_scored") }}, 0) AS score_about
  FROM prediction_statistics AS p
  WHERE p.day BETWEEN {{ first | literal }} AND {{ last | literal }}
)
SELECT
  day,
  version,
  segment,
  n,
  n_scored,
  n_improper,
  CAST(score_sum AS DOUBLE) AS score_sum,
  CAST(score_square_sum AS DOUBLE) AS score_square_sum,
  CAST(score_about AS DOUBLE) AS score_about,
  {{ near_sum("score_sum", "n_scored", "score_about") }} AS score_near_sum,
  {{ near_squares("score_sum", "score_square_sum", "n_scored", "score_about") }} AS score_near_square_sum
FROM served
ORDER BY day, version, segment
