/* purpose: the first business day in files that hold all days
   grain:   one row
   reads:   delivered (a view of all files)
   writes:  nothing; history begins there when the spec names no start, and days before it cannot be read again */
{% from "ingest/cells.sql" import local_time %}
SELECT MIN(CAST({{ local_time(columns.timestamp, kinds.timestamp, zone, files_zone) }} AS DATE)) AS day
FROM delivered
