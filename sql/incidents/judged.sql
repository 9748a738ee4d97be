/* purpose: of which metrics and segments a night judged any figure, and of which it only tried
   grain:   night, metric, segment
   reads:   verdicts
   writes:  incidents (a night that could judge nothing is no quiet night) */
SELECT
  v.night,
  v.metric,
  v.segment,
  SUM(CASE WHEN v.verdict = 'not_evaluated' THEN 0 ELSE 1 END) AS judged
FROM verdicts AS v
WHERE v.night BETWEEN {{ first | literal }} AND {{ last | literal }}
  AND v.severity <> 'info'
GROUP BY v.night, v.metric, v.segment
