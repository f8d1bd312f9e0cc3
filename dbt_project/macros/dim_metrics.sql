{#-
    The metrics, in the order in which people are shown them: the one list of them. `dim_metrics` publishes it, the
    period tables are made from it, and whatever lists metrics reads one of the two.

        id, title     as in metric_measurements, and as people call it
        kind          count, duration or rate
        direction     which is better: higher, lower or neither
        entity        what it measures, as in metric_entities
        noun          what its sample counts, in the plural
        table         where its number is published: a table by period, or the fact table that has it row by row
        topic         where it is charted: delivery, reliability or flow; none where it is not
        is_key        one of DORA's five
        column        of the table; left out where the id says it: `<id>_hours_median` of a duration, else `<id>`
        stage         its place among the stages of the lead time for changes; left out of all others
        part, phrase  the column that counts a part of the sample, and what is said of that part
        definition    a sentence or two; the doc block of this name has the rules
-#}
{% macro metric_list() -%}
    {{ return([
        {
            'id': 'deployment_frequency', 'title': 'Deployment frequency', 'kind': 'count', 'direction': 'higher',
            'entity': 'deployment', 'noun': 'deployments', 'table': 'dora_metrics', 'topic': 'delivery', 'is_key': true,
            'column': 'deployment_count', 'part': 'deployment_day_count', 'phrase': 'days with one',
            'definition': 'Successful production deployments. A redeploy of what already runs there does not count; a rollback does.',
        },
        {
            'id': 'lead_time', 'title': 'Lead time for changes', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'changes', 'table': 'dora_metrics', 'topic': 'delivery', 'is_key': true,
            'definition': 'From the first commit of a pull request to the finish of the first production deployment that shipped it. Median; bots and the first known deployment of a repository are left out.',
        },
        {
            'id': 'change_fail_rate', 'title': 'Change fail rate', 'kind': 'rate', 'direction': 'lower',
            'entity': 'deployment', 'noun': 'deployments', 'table': 'dora_metrics', 'topic': 'reliability', 'is_key': true,
            'part': 'failed_deployment_count', 'phrase': 'failed',
            'definition': 'Share of production deployments that a rollback, a revert, a hotfix or an incident shows to have failed.',
        },
        {
            'id': 'recovery', 'title': 'Recovery time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'deployment', 'noun': 'recoveries', 'table': 'dora_metrics', 'topic': 'reliability', 'is_key': true,
            'definition': 'Failed deployment recovery time: from the finish of a failed deployment to its earliest recovery, when the rollback, revert or hotfix was live or the incident was closed. Median.',
        },
        {
            'id': 'rework_rate', 'title': 'Rework rate', 'kind': 'rate', 'direction': 'lower',
            'entity': 'deployment', 'noun': 'deployments', 'table': 'dora_metrics', 'topic': 'reliability', 'is_key': true,
            'part': 'rework_deployment_count', 'phrase': 'were rework',
            'definition': 'Share of production deployments that nobody planned: made to fix something that users noticed.',
        },
        {
            'id': 'time_to_restore', 'title': 'Time to restore', 'kind': 'duration', 'direction': 'lower',
            'entity': 'issue', 'noun': 'incidents', 'table': 'dora_metrics', 'topic': 'reliability',
            'definition': 'From the creation of an incident to its completion, whatever caused it. Median.',
        },
        {
            'id': 'commit_lead_time', 'title': 'Lead time of commits', 'kind': 'duration', 'direction': 'lower',
            'entity': 'commit', 'noun': 'commits', 'table': 'dora_metrics', 'topic': none,
            'definition': 'From a commit that went to the default branch without a pull request to the finish of the first production deployment that shipped it. Median.',
        },
        {
            'id': 'redeployments', 'title': 'Redeployments', 'kind': 'count', 'direction': 'neither',
            'entity': 'deployment', 'noun': 'deployments', 'table': 'dora_metrics', 'topic': none,
            'column': 'redeploy_count',
            'definition': 'Successful production deployments of what already ran.',
        },
        {
            'id': 'deployed_changes', 'title': 'Deployed changes', 'kind': 'count', 'direction': 'neither',
            'entity': 'deployment', 'noun': 'changes', 'table': 'fct_deployments', 'topic': none,
            'column': 'change_count',
            'definition': 'Changes that a deployment was the first to ship.',
        },
        {
            'id': 'time_to_first_review', 'title': 'Time to first review', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From the creation of a pull request to the first review by another person. Median.',
        },
        {
            'id': 'pickup', 'stage': 3, 'title': 'Pickup time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From ready for review to the first review or comment by another person. Median.',
        },
        {
            'id': 'review', 'stage': 4, 'title': 'Review time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From the first review or comment by another person to the merge. Median.',
        },
        {
            'id': 'merge_time', 'title': 'Merge time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From the creation of a pull request to its merge. Median.',
        },
        {
            'id': 'cycle_time', 'title': 'Issue cycle time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'issue', 'noun': 'issues', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From the creation of an issue to the merge of its last linked pull request. Median.',
        },
        {
            'id': 'started_to_completed', 'title': 'Time in progress', 'kind': 'duration', 'direction': 'lower',
            'entity': 'issue', 'noun': 'issues', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'From the first time that an issue was started to its completion. Median.',
        },
        {
            'id': 'pull_requests_opened', 'title': 'Pull requests opened', 'kind': 'count', 'direction': 'neither',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': none,
            'definition': 'Pull requests by people, in the period in which they were opened.',
        },
        {
            'id': 'pull_requests_merged', 'title': 'Pull requests merged', 'kind': 'count', 'direction': 'higher',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'Pull requests by people, in the period in which they were merged.',
        },
        {
            'id': 'pull_requests_merged_by_bots', 'title': 'Pull requests merged by bots', 'kind': 'count',
            'direction': 'neither', 'entity': 'pull_request', 'noun': 'pull requests', 'table': 'dev_metrics', 'topic': none,
            'definition': 'Pull requests by bots, in the period in which they were merged.',
        },
        {
            'id': 'issues_completed', 'title': 'Issues completed', 'kind': 'count', 'direction': 'higher',
            'entity': 'issue', 'noun': 'issues', 'table': 'dev_metrics', 'topic': 'flow',
            'definition': 'Issues, in the period in which they were completed; canceled ones are not.',
        },
        {
            'id': 'pull_requests_open', 'title': 'Pull requests open', 'kind': 'count', 'direction': 'neither',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'work_in_progress', 'topic': 'flow',
            'definition': 'Pull requests by people that were open when the period ended, or at the last load.',
        },
        {
            'id': 'issues_in_progress', 'title': 'Issues in progress', 'kind': 'count', 'direction': 'neither',
            'entity': 'issue', 'noun': 'issues', 'table': 'work_in_progress', 'topic': 'flow',
            'definition': 'Issues that were started and neither completed nor canceled when the period ended, or at the last load.',
        },
        {
            'id': 'coding', 'stage': 1, 'title': 'Coding time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'fct_pull_requests', 'topic': none,
            'column': 'coding_hours',
            'definition': 'From the first commit to the creation of the pull request. Median.',
        },
        {
            'id': 'draft', 'stage': 2, 'title': 'Draft time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'fct_pull_requests', 'topic': none,
            'column': 'draft_hours',
            'definition': 'From the creation of a pull request to ready for review. Median.',
        },
        {
            'id': 'unreviewed', 'stage': 5, 'title': 'Merge without a response', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'fct_pull_requests', 'topic': none,
            'column': 'unreviewed_hours',
            'definition': 'From ready for review to the merge, of pull requests that nobody else responded to before it. Median.',
        },
        {
            'id': 'deploy', 'stage': 6, 'title': 'Deploy time', 'kind': 'duration', 'direction': 'lower',
            'entity': 'pull_request', 'noun': 'pull requests', 'table': 'fct_pull_requests', 'topic': none,
            'column': 'deploy_hours',
            'definition': 'From the merge of a pull request to its first production deployment. Median.',
        },
    ]) }}
{%- endmacro %}

{#- The ids of the metrics of a period table, of one kind or of all. -#}
{% macro metrics_of(table, kind=none) -%}
    {%- set found = [] -%}
    {%- for metric in metric_list() if metric.table == table and kind in (none, metric.kind) -%}
        {%- do found.append(metric.id) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Metrics by period whose value is how long something took, in hours. -#}
{% macro durations() -%}
    {{ return(metrics_of('dora_metrics', 'duration') + metrics_of('dev_metrics', 'duration')) }}
{%- endmacro %}

{#- The stages of the lead time for changes, in their order. -#}
{% macro lead_time_stages() -%}
    {%- set found = [] -%}
    {%- for metric in metric_list() | selectattr('stage', 'defined') | sort(attribute='stage') -%}
        {%- do found.append(metric.id) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- The metrics that dora_metrics and dora_scorecard tell. -#}
{% macro dora_keys() -%}
    {{ return(metrics_of('dora_metrics')) }}
{%- endmacro %}

{#- A text as a literal of SQL; NULL of none. -#}
{% macro text_literal(value) -%}
    {{ "null::varchar" if value is none else "'" ~ value | replace("'", "''") ~ "'" }}
{%- endmacro %}
