{#- The spans of a pull request: name, start, finish and what a negative one means, where there can be one. -#}
{% macro pull_request_spans() -%}
    {{ return([
        ('coding', 'first_commit_at', 'created_at', none),
        ('draft', 'created_at', 'ready_at', 'it was ready before it was opened'),
        ('time_to_first_review', 'created_at', 'first_review_at', 'its first review is dated before it was opened'),
        ('pickup', 'ready_at', 'first_response_at', none),
        ('review', 'first_response_at', 'merged_at', none),
        ('unreviewed', 'unanswered_since', 'merged_at', 'it was merged before it was ready'),
        ('merge_time', 'created_at', 'merged_at', 'it is dated as merged before it was opened'),
        ('deploy', 'merged_at', 'deployed_at', 'it was deployed before it was merged'),
        ('lead_time', 'first_commit_at', 'deployed_at', 'its first commit is dated after its deployment'),
    ]) }}
{%- endmacro %}

{#- The spans of an issue, alike. -#}
{% macro issue_spans() -%}
    {{ return([
        ('cycle_time', 'created_at', 'last_merged_at', 'its last linked pull request was merged before it was created'),
        ('started_to_completed', 'started_at', 'completed_at', 'it was completed before it was started'),
    ]) }}
{%- endmacro %}
