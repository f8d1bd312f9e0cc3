select distinct
    {{ readable_key('comments.source_key', 'comments.connection') }} as comment_id,
    pull_requests.pull_request_id,
    author.person as author,
    coalesce(author.is_bot, false) as is_bot,
    author.person is not distinct from pull_requests.author as is_author,
    comments.commented_at
from {{ ref('int_pull_request_comments_unioned') }} as comments
inner join {{ ref('int_pull_requests') }} as pull_requests
    on comments.connection = pull_requests.connection and comments.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as author on author.handle = comments.author_handle
