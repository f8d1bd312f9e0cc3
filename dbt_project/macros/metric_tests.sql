{#- A rate is a share. -#}
{% test between_zero_and_one(model, column_name) %}
    select {{ column_name }} from {{ model }} where not {{ column_name }} between 0 and 1
{% endtest %}

{#- What is eligible is measured or excluded, never both and never neither. -#}
{% test measured_or_excluded(model) %}
    select * from {{ model }} where (value is null) = (excluded_because is null)
{% endtest %}
