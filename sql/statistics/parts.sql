{# Pieces shared by the files of this folder. `segments` maps an alias to the stored column of a segment, or to a pair of them. #}
{% macro version_of(p) %}CASE WHEN {{ p | ident }}.role = 'live' THEN {{ p | ident }}.version ELSE {{ p | ident }}.role || ':' || {{ p | ident }}.version END{% endmacro %}
{% macro segment_columns(segments, p) %}
{% for alias, name in segments.items() %}
    {% if name is string %}
    COALESCE({{ p | ident }}.{{ name | ident }}, '(missing)') AS {{ alias | ident }},
    {% else %}
    COALESCE({{ p | ident }}.{{ name[0] | ident }}, '(missing)') || {{ ("," ~ name[1] ~ "=") | literal }}
      || COALESCE({{ p | ident }}.{{ name[1] | ident }}, '(missing)') AS {{ alias | ident }},
    {% endif %}
{% endfor %}
{% endmacro %}
{% macro names(columns) %}{% for name in columns %}{{ name | ident }}, {% endfor %}{% endmacro %}
{% macro segment_label(segments) %}
{% if segments %}
CASE
    {% for alias, name in segments.items() %}
    WHEN GROUPING({{ alias | ident }}) = 0 THEN {{ ((name if name is string else name[0]) ~ "=") | literal }} || {{ alias | ident }}
    {% endfor %}
    ELSE 'all'
  END
{%- else %}'all'{% endif %}
{% endmacro %}
{% macro grouping_sets(keys, segments) %}
GROUP BY GROUPING SETS (
    ({{ names(keys[:-1]) }}{{ keys[-1] | ident }})
    {% for alias in segments %}
    , ({{ names(keys) }}{{ alias | ident }})
    {% endfor %}
  )
{% endmacro %}
{# A score that is a probability; anything else is none. A hair beyond 0 and 1 is a rounding error of whoever served it. #}
{% macro probability(p) %}CASE
      WHEN {{ p | ident }}.score BETWEEN -1e-6 AND 1.000001 THEN GREATEST(LEAST({{ p | ident }}.score, 1), 0)
    END{% endmacro %}
{% macro score_bin(score) %}CASE
      WHEN {{ score | ident }} IS NULL THEN NULL
      WHEN {{ score | ident }} >= 0.999e0 THEN 999
      WHEN {{ score | ident }} <= 0 THEN 0
      ELSE CAST(FLOOR({{ score | ident }} * 1000) AS INTEGER)
    END{% endmacro %}
{# A number below 1e12 and its square as exact decimals: its whole part apart, so that no digit of a number near 1e9 is lost. #}
{% macro exact(x) %}CAST(
      CAST(ROUND({{ x | ident }}) AS DECIMAL(38, 9)) + CAST({{ x | ident }} - ROUND({{ x | ident }}) AS DECIMAL(38, 9)) AS DECIMAL(38, 9)
    ){% endmacro %}
{% macro exact_square(x) %}CAST(
      CAST(CAST(ROUND({{ x | ident }}) AS DECIMAL(19, 0)) * CAST(ROUND({{ x | ident }}) AS DECIMAL(19, 0)) AS DECIMAL(38, 9))
      + CAST(2 * CAST(ROUND({{ x | ident }}) AS DECIMAL(19, 0)) * CAST({{ x | ident }} - ROUND({{ x | ident }}) AS DECIMAL(19, 9)) AS DECIMAL(38, 9))
      + CAST(({{ x | ident }} - ROUND({{ x | ident }})) * ({{ x | ident }} - ROUND({{ x | ident }})) AS DECIMAL(38, 9)) AS DECIMAL(38, 9)
    ){% endmacro %}
