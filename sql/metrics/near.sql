{# Sums about a whole number near the mean, where sums about 0 would leave nothing but rounding of a small spread. #}
{% macro centre(total, n) %}CAST(ROUND(CAST({{ total | ident }} AS DOUBLE) / NULLIF({{ n | ident }}, 0)) AS DECIMAL(13, 0)){% endmacro %}
{% macro near_sum(total, n, centre) %}CAST({{ total | ident }} - {{ centre | ident }} * {{ n | ident }} AS DOUBLE){% endmacro %}
{# Exact where the decimals hold it, and from doubles beyond: the latter are numbers near 1e12 that differ as much. #}
{% macro near_squares(total, squares, n, centre) %}
CASE
    WHEN ABS(CAST({{ total | ident }} - {{ centre | ident }} * {{ n | ident }} AS DOUBLE)) < 1e15
      AND CAST({{ centre | ident }} AS DOUBLE) * CAST({{ centre | ident }} AS DOUBLE) * {{ n | ident }} < 1e28
    THEN CAST(
      {{ squares | ident }}
      - CAST(
        CAST(CAST({{ centre | ident }} AS DECIMAL(19, 0)) * CAST({{ centre | ident }} AS DECIMAL(19, 0)) AS DECIMAL(26, 0))
        * CAST({{ n | ident }} AS DECIMAL(12, 0)) AS DECIMAL(38, 9)
      )
      - 2 * CAST({{ centre | ident }} * CAST({{ total | ident }} - {{ centre | ident }} * {{ n | ident }} AS DECIMAL(25, 9)) AS DECIMAL(38, 9))
      AS DOUBLE
    )
    ELSE CAST({{ squares | ident }} AS DOUBLE)
      - 2 * CAST({{ centre | ident }} AS DOUBLE) * CAST({{ total | ident }} AS DOUBLE)
      + CAST({{ centre | ident }} AS DOUBLE) * CAST({{ centre | ident }} AS DOUBLE) * {{ n | ident }}
  END
{%- endmacro %}
