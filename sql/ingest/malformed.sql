/* purpose: per file and column, how many cells cannot be what the spec says, with an example
   grain:   file
   reads:   delivered (a view of the period's files)
   writes:  nothing; the caller refuses the files found */
{% macro broken(column, kind) %}
{% if kind == "id" %}{{ column | ident }} IS NULL
{% elif kind == "number" %}{{ column | ident }} IS NOT NULL AND TRY_CAST({{ column | ident }} AS DOUBLE) IS NULL
{% elif kind == "time" %}{{ column | ident }} IS NOT NULL AND TRY_CAST(CAST({{ column | ident }} AS VARCHAR) AS TIMESTAMP) IS NULL
{% elif kind == "day" %}TRY_CAST(CAST({{ column | ident }} AS VARCHAR) AS TIMESTAMP) IS NULL
{% else %}{{ column | ident }} IS NOT NULL AND LOWER(CAST({{ column | ident }} AS VARCHAR)) NOT IN ('0', '1', '0.0', '1.0', 'false', 'true')
{% endif %}
{% endmacro %}
SELECT
  _file AS file,
  {% for column, kind in checks.items() %}
  SUM(CASE WHEN {{ broken(column, kind) }} THEN 1 ELSE 0 END) AS {{ ("broken " ~ loop.index0) | ident }},
  MIN(CASE WHEN {{ broken(column, kind) }} THEN CAST({{ column | ident }} AS VARCHAR) END) AS {{ ("example " ~ loop.index0) | ident }},
  {% endfor %}
  COUNT(*) AS n
FROM delivered
GROUP BY _file
