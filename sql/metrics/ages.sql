{# The ages at which a triangle is read, each with the prediction days whose night of that age falls in the period. #}
{% macro ages_read(ages) %}
ages AS (
  SELECT age, first_day, last_day
  FROM (
    VALUES
      {% for one in ages %}
      {% if not loop.first %}, {% endif %}({{ one.age | literal }}, {{ one.first | literal }}, {{ one.last | literal }})
      {% endfor %}
  ) AS given (age, first_day, last_day)
)
{%- endmacro %}
