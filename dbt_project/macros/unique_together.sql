{#- The grain of a model that one column does not identify. -#}
{% test unique_together(model, columns) %}
    select {{ columns | join(', ') }}, count(*) as copies
    from {{ model }}
    group by all
    having count(*) > 1
{% endtest %}
