/* purpose: the newest day on which a label became known
   grain:   one row
   reads:   labels
   writes:  nothing; the night of a retraining by hand */
SELECT MAX(l.known_day) AS day
FROM labels AS l
