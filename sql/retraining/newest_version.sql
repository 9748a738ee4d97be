/* purpose: the version that answers now: most live rows of the newest day
   grain:   one row
   reads:   predictions
   writes:  nothing; a switch by hand takes it in, so that it can be undone */
SELECT
  p.version
FROM predictions AS p
WHERE p.role = 'live'
GROUP BY p.day, p.version
ORDER BY p.day DESC, COUNT(*) DESC, p.version
LIMIT 1
