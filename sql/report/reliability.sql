/* purpose: labelled predictions by day and tenth of the score, over the labels known within one label age
   grain:   day, bin
   reads:   label_statistics
   writes:  nothing; the report draws them
   The sum of scores is handed over in billionths, so that adding days in any order gives the same digits. */
SELECT
  l.day,
  CAST(FLOOR(l.score_bin / 100) AS INTEGER) AS bin,
  CAST(SUM(l.n) AS BIGINT) AS n,
  CAST(SUM(CASE WHEN l.label = 1 THEN l.n ELSE 0 END) AS BIGINT) AS n_positive,
  CAST(SUM(l.score_sum) * 1000000000 AS BIGINT) AS score_nanos
FROM label_statistics AS l
WHERE l.version = 'all'
  AND l.segment = 'all'
  AND l.score_bin IS NOT NULL
  AND l.label_age <= {{ age | literal }}
  AND l.day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY l.day, CAST(FLOOR(l.score_bin / 100) AS INTEGER)
ORDER BY 1, 2
