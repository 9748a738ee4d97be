/* purpose: predictions per day, version and segment, with the sums behind the mean score
   grain:   day, version, segment
   reads:   prediction_statistics
   writes:  metrics (volume, score_mean, improper_score_rate) */
SELECT
  p.day,
  p.version,
  p.segment,
  p.n,
  p.n_scored,
  p.n_improper,
  CAST(p.score_sum AS DOUBLE) AS score_sum,
  CAST(p.score_square_sum AS DOUBLE) AS score_square_sum
FROM prediction_statistics AS p
WHERE p.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY p.day, p.version, p.segment
