{# The days whose counts are the reference of a judged day, where the spec says a rolling window or the same weekday. #}
{% macro is_past(day, judged, past) %}
{% if past.weekdays %}
{{ day | ident }}.day BETWEEN {{ judged | ident }}.day - {{ (7 * past.weekdays) | literal }} AND {{ judged | ident }}.day - 7
    AND DATE_DIFF('day', {{ day | ident }}.day, {{ judged | ident }}.day) % 7 = 0
{%- else %}
{{ day | ident }}.day BETWEEN {{ judged | ident }}.day - {{ (past.rolling.gap + past.rolling.days - 1) | literal }} AND {{ judged | ident }}.day - {{ past.rolling.gap | literal }}
{%- endif %}
{% endmacro %}
