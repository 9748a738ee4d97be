/* purpose: how many labels arrived on each day
   grain:   known_day
   reads:   arrival_statistics
   writes:  verdicts (no labels); decisions (fresh labels) */
SELECT
  a.known_day,
  SUM(a.n) AS n
FROM arrival_statistics AS a
WHERE a.source = 'labels'
  AND a.known_day BETWEEN {{ first | literal }} AND {{ last | literal }}
GROUP BY a.known_day
ORDER BY a.known_day
