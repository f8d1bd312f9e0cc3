{%- set phrase = '(?:^|[^\\pL\\pN])(' ~ magic_phrase() ~ ')' -%}

with pull_requests as (select * from {{ ref('int_pull_requests') }}),

issues as (select * from {{ ref('int_issues') }}),

issue_references as (select * from {{ ref('int_issue_references') }}),

texts as (select * from {{ ref('int_pull_request_texts') }}),

-- facts
addresses as (
    select
        pull_requests.pull_request_id,
        names.host || '/' || names.name || '/pull/' || pull_requests.number as address
    from pull_requests
    inner join {{ ref('int_repository_names') }} as names using (repository_id)
),

attached as (
    select
        addresses.pull_request_id,
        issues.issue_id,
        'attachment' as link_method,
        false as is_closing,
        1.0::double as confidence,
        true as is_counted,
        attachments.url as evidence
    from {{ ref('int_issue_attachments_unioned') }} as attachments
    inner join issues on attachments.connection = issues.connection and attachments.issue_key = issues.source_key
    -- of any page of the pull request: its files, one of its comments
    inner join addresses
        on regexp_extract(lower(attachments.url), '^https?://([^/]+/[^/]+/[^/]+/pull/[0-9]+)\b', 1) = addresses.address
),

closing as (
    select
        pull_requests.pull_request_id,
        coalesce(issues.issue_id, by_name.issue_id) as issue_id,
        'closing_reference' as link_method,
        true as is_closing,
        1.0::double as confidence,
        true as is_counted,
        closing_references.issue_name as evidence
    from {{ ref('int_pull_request_closing_references_unioned') }} as closing_references
    inner join pull_requests
        on closing_references.connection = pull_requests.connection
        and closing_references.pull_request_key = pull_requests.source_key
    left join issues
        on closing_references.connection = issues.connection and closing_references.issue_key = issues.source_key
    left join issue_references as by_name
        on by_name.connection = closing_references.connection
        and by_name.reference = lower(closing_references.issue_name)
    where coalesce(issues.issue_id, by_name.issue_id) is not null
),

-- text: a magic word with the issues after it, then what is left
phrases as (
    select
        texts.* exclude (text),
        unnest(regexp_extract_all(texts.text, '{{ phrase }}', 1)) as text
    from texts
    where texts.link_method <> 'branch'
),

mentions as (
    select
        pull_request_id,
        connection,
        link_method,
        true as is_magic,
        regexp_matches(text, '^(?:{{ closing_words() }})\b') as is_closing,
        regexp_replace(text, '\s+', ' ', 'g') as evidence,
        unnest({{ issue_references('text', 'repository') }}) as reference
    from phrases
    union all
    select
        pull_request_id,
        connection,
        link_method,
        false,
        false,
        null,
        unnest(
            {{ issue_references(
                "case when link_method = 'branch' then text else regexp_replace(text, '" ~ phrase ~ "', ' ', 'g') end",
                'repository'
            ) }}
        ) as reference
    from texts
),

named as (
    select
        mentions.pull_request_id,
        issue_references.issue_id,
        mentions.link_method,
        mentions.is_closing,
        case
            when mentions.link_method = 'branch' then 0.9
            when mentions.link_method = 'title' then 0.85
            when mentions.link_method = 'body' and mentions.is_magic then 0.8
            when mentions.link_method = 'body' then 0.2
            when mentions.is_magic then 0.7
            else 0.6
        end::double as confidence,
        -- a bare key in a body may be an aside
        mentions.is_magic or mentions.link_method <> 'body' as is_counted,
        coalesce(mentions.evidence, mentions.reference) as evidence
    from mentions
    inner join issue_references
        on
            issue_references.reference = mentions.reference
            and coalesce(issue_references.connection, mentions.connection) = mentions.connection
),

unioned as (
    select * from attached
    union all by name
    select * from closing
    union all by name
    select * from named
)

select
    pull_request_id,
    issue_id,
    link_method,
    bool_or(is_closing) as is_closing,
    max(confidence) as confidence,
    bool_or(is_counted) as is_counted,
    arg_min(evidence, (not is_closing, not is_counted, length(evidence), evidence)) as evidence
from unioned
group by pull_request_id, issue_id, link_method
