{#- A model that is one row, whatever the data. -#}
{% test one_row(model) %}
    select count(*) as row_count
    from {{ model }}
    having count(*) <> 1
{% endtest %}
