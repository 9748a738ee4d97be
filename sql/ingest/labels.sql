/* purpose: delivered labels, typed, each on the day it became known
   grain:   known_day, id (repeats are removed after)
   reads:   delivered (a view of the period's files)
   writes:  labels */
{% from "ingest/cells.sql" import text, sign, local_time %}
{% macro known_day() %}
{% if columns.timestamp %}
COALESCE(file_day, CAST({{ local_time(columns.timestamp, kinds.timestamp, zone, zone) }} AS DATE))
{% else %}file_day{% endif %}
{% endmacro %}
SELECT
  {{ text(columns.id) }} AS id,
  {{ known_day() }} AS known_day,
  {{ sign(columns.label, positives) }} AS label
FROM delivered
WHERE {{ known_day() }} IN {{ days | literal }}
