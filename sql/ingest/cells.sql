{# How one delivered cell is read; imported by the other files of this folder. #}
{% macro number(column) %}NULLIF(TRY_CAST({{ column | ident }} AS DOUBLE), CAST('NaN' AS DOUBLE)){% endmacro %}
{% macro text(column) %}CAST({{ column | ident }} AS VARCHAR){% endmacro %}
{% macro class(column) %}TRIM(REGEXP_REPLACE(CAST({{ column | ident }} AS VARCHAR), '^(-?[0-9]+)[.]0$', '\1')){% endmacro %}
{% macro sign(column, positives) %}CASE
    WHEN {{ column | ident }} IS NULL THEN NULL
    WHEN LOWER(CAST({{ column | ident }} AS VARCHAR)) IN {{ positives | literal }} THEN 1
    ELSE 0
  END{% endmacro %}
{% macro local_time(column, kind, zone, files_zone) %}
{% if kind == "zoned" %}TIMEZONE({{ zone | literal }}, {{ column | ident }})
{% elif kind == "text" %}CASE
    WHEN REGEXP_MATCHES({{ column | ident }}, '(Z|[+-][0-9]{2}:?[0-9]{2})$')
      THEN TIMEZONE({{ zone | literal }}, TRY_CAST({{ column | ident }} AS TIMESTAMPTZ))
    ELSE TIMEZONE({{ zone | literal }}, TIMEZONE({{ files_zone | literal }}, TRY_CAST({{ column | ident }} AS TIMESTAMP)))
  END
{% elif zone == files_zone %}CAST({{ column | ident }} AS TIMESTAMP)
{% else %}TIMEZONE({{ zone | literal }}, TIMEZONE({{ files_zone | literal }}, CAST({{ column | ident }} AS TIMESTAMP)))
{% endif %}
{% endmacro %}
