/* purpose: delivered predictions, typed, each on its business day in the model's zone
   grain:   day, source, id (repeats are removed after)
   reads:   delivered (a view of the period's files)
   writes:  predictions */
{% from "ingest/cells.sql" import number, text, sign, class, local_time %}
{% macro local_ts() %}{{ local_time(columns.timestamp, kinds.timestamp, zone, files_zone) }}{% endmacro %}
{% macro business_day() %}
{% if zone == files_zone %}
COALESCE(file_day, CAST({{ local_ts() }} AS DATE))
{% else %}
CASE
    WHEN file_day IS NULL THEN CAST({{ local_ts() }} AS DATE)
    WHEN CAST({{ local_ts() }} AS DATE) BETWEEN
      CAST(TIMEZONE({{ zone | literal }}, TIMEZONE({{ files_zone | literal }}, CAST(file_day AS TIMESTAMP))) AS DATE)
      AND CAST(TIMEZONE({{ zone | literal }}, TIMEZONE({{ files_zone | literal }}, CAST(file_day AS TIMESTAMP) + INTERVAL 86399 SECOND)) AS DATE)
      THEN CAST({{ local_ts() }} AS DATE)
    ELSE file_day
  END
{% endif %}
{% endmacro %}
SELECT
  {{ business_day() }} AS day,
  {{ source | literal }} AS source,
  {{ text(columns.id) }} AS id,
  {{ local_ts() }} AS ts,
  {% if columns.version %}
  COALESCE({{ text(columns.version) }}, '(missing)') AS version,
  {% else %}
  '1' AS version,
  {% endif %}
  {{ role | literal }} AS role,
  {{ number(columns.score) }} AS score,
  {% if task == "multiclass" %}
  {{ class(columns.decision) }} AS decision_text,
  {% else %}
  CAST(NULL AS VARCHAR) AS decision_text,
  {% endif %}
  {% if task != "binary" %}
  CAST(NULL AS INTEGER) AS decision,
  {% elif columns.decision %}
  {{ sign(columns.decision, positives) }} AS decision,
  {% else %}
  CASE
    WHEN {{ number(columns.score) }} >= {{ threshold | literal }} THEN 1
    WHEN {{ number(columns.score) }} < {{ threshold | literal }} THEN 0
  END AS decision,
  {% endif %}
  {% for name, column in numeric.items() %}
  {{ number(column) }} AS {{ name | ident }},
  {% endfor %}
  {% for name, column in texts.items() %}
  {{ text(column) }} AS {{ name | ident }},
  {% endfor %}
  {% if columns.latency_ms %}
  {{ number(columns.latency_ms) }} AS latency_ms
  {% else %}
  CAST(NULL AS DOUBLE) AS latency_ms
  {% endif %},
  {% if columns.error %}
  {{ sign(columns.error, ["1", "1.0", "true"]) }} AS error
  {% else %}
  CAST(NULL AS INTEGER) AS error
  {% endif %}
FROM delivered
WHERE {{ business_day() }} IN {{ days | literal }}
