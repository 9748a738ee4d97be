{# Which predictions a label or outcome belongs to: every one of its id or, where it is `dated`, the one of its id on the day it names. #}
{% macro among(rows, dated) %}
{% if dated %}(id, predicted_day){% else %}id{% endif %} IN (SELECT {{ key(dated) }} FROM {{ rows | ident }})
{%- endmacro %}
{% macro key(dated) %}id{% if dated %}, predicted_day{% endif %}{% endmacro %}
{# What a period touches: what became known in it, and what was predicted in it. #}
{% macro known(table, dated, period) %}
SELECT {{ key(dated) }} FROM {{ table | ident }}
  WHERE known_day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
{%- endmacro %}
{% macro predicted(dated, period) %}
SELECT id{% if dated %}, day AS predicted_day{% endif %} FROM predictions
  WHERE day BETWEEN {{ period.first | literal }} AND {{ period.last | literal }}
{%- endmacro %}
{# Joins: `l` holds labels or outcomes, `p` predictions, `other` more that is told of the same. #}
{% macro belongs(l, p, dated) %}
{{ p | ident }}.id = {{ l | ident }}.id{% if dated %} AND {{ p | ident }}.day = {{ l | ident }}.predicted_day{% endif %}
{%- endmacro %}
{% macro same(l, other, dated) %}
{{ other | ident }}.id = {{ l | ident }}.id{% if dated %} AND {{ other | ident }}.predicted_day = {{ l | ident }}.predicted_day{% endif %}
{%- endmacro %}
