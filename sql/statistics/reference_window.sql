/* purpose: the rows of accepted behaviour from a window of the model's own days
   grain:   one row a prediction
   reads:   predictions
   writes:  nothing; the profile is made from it */
SELECT
  {% for name in features %}
  p.{{ name | ident }},
  {% endfor %}
  {% if task == "multiclass" %}
  p.decision_text AS decision,
  {% else %}
  p.decision,
  {% endif %}
  p.score
FROM predictions AS p
WHERE p.role = 'live'
  AND p.day BETWEEN {{ window.first | literal }} AND {{ window.last | literal }}
ORDER BY p.day, p.id
