/* purpose: predictions for an id that was predicted before
   grain:   day, version
   reads:   repeat_statistics
   writes:  metrics (repeat_flip_rate, repeat_score_gap) */
SELECT
  r.day,
  r.version,
  r.n,
  r.n_flipped,
  r.n_scored,
  CAST(r.gap_sum AS DOUBLE) AS gap_sum,
  CAST(r.gap_square_sum AS DOUBLE) AS gap_square_sum
FROM repeat_statistics AS r
WHERE r.day BETWEEN {{ first | literal }} AND {{ last | literal }}
ORDER BY r.day, r.version
