/* purpose: delivered outcomes, typed, each on the day it became known
   grain:   known_day, id, predicted_day (repeats are removed after)
   reads:   delivered (a view of the period's files)
   writes:  outcomes */
{% from "ingest/cells.sql" import number, text, sign, local_time %}
{% macro known_day() %}
{% if columns.timestamp %}
COALESCE(file_day, CAST({{ local_time(columns.timestamp, kinds.timestamp, zone, zone) }} AS DATE))
{% else %}file_day{% endif %}
{% endmacro %}
SELECT
  {{ text(columns.id) }} AS id,
  {{ known_day() }} AS known_day,
  {% if columns.predicted %}
  CAST({{ local_time(columns.predicted, kinds.predicted, zone, zone) }} AS DATE) AS predicted_day,
  {% else %}
  CAST(NULL AS DATE) AS predicted_day,
  {% endif %}
  {{ sign(columns.converted, ["1", "1.0", "true"]) }} AS converted,
  {% if columns.clicked %}
  {{ sign(columns.clicked, ["1", "1.0", "true"]) }} AS clicked,
  {% else %}
  CAST(NULL AS INTEGER) AS clicked,
  {% endif %}
  {% if columns.value %}
  {{ number(columns.value) }} AS value
  {% else %}
  CAST(NULL AS DOUBLE) AS value
  {% endif %}
FROM delivered
WHERE {{ known_day() }} IN {{ days | literal }}
