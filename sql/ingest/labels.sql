/* purpose: delivered labels, typed, each on the day it became known
   grain:   known_day, id, predicted_day (repeats are removed after)
   reads:   delivered (a view of the period's files)
   writes:  labels */
{% from "ingest/cells.sql" import number, text, sign, class, local_time %}
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
  {% if task == "binary" %}
  {{ sign(columns.label, positives) }} AS label,
  {% else %}
  CAST(NULL AS INTEGER) AS label,
  {% endif %}
  {% if task == "multiclass" %}
  {{ class(columns.label) }} AS label_text,
  {% else %}
  CAST(NULL AS VARCHAR) AS label_text,
  {% endif %}
  {% if task == "regression" %}
  {{ number(columns.label) }} AS label_value
  {% else %}
  CAST(NULL AS DOUBLE) AS label_value
  {% endif %}
FROM delivered
WHERE {{ known_day() }} IN {{ days | literal }}
