/* purpose: the rows of accepted behaviour from a reference file, typed as predictions are
   grain:   one row a reference row
   reads:   delivered (a view of the reference file)
   writes:  nothing; the profile is made from it */
{% from "ingest/cells.sql" import number, text, sign, class %}
SELECT
  {% for name, column in numeric.items() %}
  {{ number(column) }} AS {{ name | ident }},
  {% endfor %}
  {% for name, column in texts.items() %}
  {{ text(column) }} AS {{ name | ident }},
  {% endfor %}
  {% if task == "multiclass" %}
  {{ class(columns.decision) }} AS decision,
  {% elif task == "regression" %}
  CAST(NULL AS INTEGER) AS decision,
  {% elif columns.decision %}
  {{ sign(columns.decision, positives) }} AS decision,
  {% else %}
  CASE
    WHEN {{ number(columns.score) }} >= {{ threshold | literal }} THEN 1
    WHEN {{ number(columns.score) }} < {{ threshold | literal }} THEN 0
  END AS decision,
  {% endif %}
  {{ number(columns.score) }} AS score
FROM delivered
