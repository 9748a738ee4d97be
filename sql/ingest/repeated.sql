/* purpose: how many ids of a day were predicted on some days before it too
   grain:   one row
   reads:   predictions
   writes:  nothing; a note tells of it where labels do not name the day of their prediction */
WITH today AS (
  SELECT id
  FROM predictions
  WHERE source = 'predictions'
    AND day = {{ day | literal }}
),
again AS (
  SELECT COUNT(DISTINCT id) AS n
  FROM predictions
  WHERE source = 'predictions'
    AND day IN {{ before | literal }}
    AND id IN (SELECT id FROM today)
)
SELECT
  MAX(a.n) AS n_again,
  COUNT(*) AS n
FROM today AS t
CROSS JOIN again AS a
