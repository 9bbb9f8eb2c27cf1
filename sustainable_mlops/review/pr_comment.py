"""One comment on a pull or merge request per set of plans: created once, then replaced.

Only comments by the user of the token are replaced, because another author could change the text later.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.review.comment_marker import find_cost_change, find_plan_hashes

_TIMEOUT_S = 30
_PAGE = 100


class CommentApi(NamedTuple):
    """The comment API of a GitHub or GitLab service: URLs, headers and key names."""

    list_url: str  # URL of the collection
    comment_url: str  # URL of one comment, with {id}
    login_url: str  # URL that returns the user of the token
    headers: Mapping[str, str]
    author_key: str  # key of the author in a comment
    login_key: str  # key of the name in a user
    edit_method: str  # HTTP method that changes a comment
    login_query: str = ""  # GraphQL query for `login_url`
    default_login: str = ""  # user if the service does not return one


def build_github_api(api: str, repository: str, number: str, token: str, graphql: str = "") -> CommentApi:
    """Return the API for a pull request on GitHub.

    `token` belongs to a workflow, an app or a person, with the permission `pull-requests: write`.
    """
    issues = f"{api}/repos/{repository}/issues"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    comment_url = f"{issues}/comments/{{id}}"
    comments, user = f"{issues}/{number}/comments", graphql or f"{api}/graphql"
    # The REST API does not return the user of an app token.
    return CommentApi(
        comments, comment_url, user, headers, "user", "login", "PATCH", "{viewer{login}}", "github-actions[bot]"
    )


def build_gitlab_api(api: str, project: str, number: str, token: str) -> CommentApi:
    """Return the API for a merge request on GitLab. `token` is a project or group access token with the scope `api`."""
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": token}
    return CommentApi(notes, f"{notes}/{{id}}", f"{api}/user", headers, "author", "username", "PUT")


def detect_api(environment: Mapping[str, str]) -> CommentApi:
    """Return the API of the CI run. Raises UserError if it is not a run for a pull or merge request."""
    if environment.get("CI_MERGE_REQUEST_IID"):
        api, project = _require_variable(environment, "CI_API_V4_URL"), _require_variable(environment, "CI_PROJECT_ID")
        return build_gitlab_api(
            api, project, environment["CI_MERGE_REQUEST_IID"], _require_variable(environment, "GITLAB_TOKEN")
        )
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    repository, token = (
        _require_variable(environment, "GITHUB_REPOSITORY"),
        _require_variable(environment, "GITHUB_TOKEN"),
    )
    return build_github_api(
        api,
        repository,
        _require_variable(environment, "PULL_REQUEST"),
        token,
        environment.get("GITHUB_GRAPHQL_URL", ""),
    )


def _require_variable(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UserError(f"{name}: is not set; run this command in a workflow or pipeline of a pull or merge request")
    return value


def post_comment(text: str, api: CommentApi, above: float | None = None) -> str:
    """Create or replace the comment about the plans of the review `text`; return `created`, `updated` or `skipped`.

    No comment is created if the cost changes by at most `above` USD a month in either direction. A comment that exists
    is always updated, so it never shows an earlier plan.

    The comment that shares a plan with the review is replaced. Further such comments are deleted: earlier versions
    wrote one comment per plan. Raises UserError if a request fails.
    """
    login, plans = _fetch_login(api), find_plan_hashes(text)
    previous_comments = [
        comment for comment in _list_comments(api) if _is_own(comment, api, login) and plans & _find_plans(comment)
    ]
    for comment in previous_comments[1:]:
        _send_request(api, "DELETE", _build_comment_url(api, comment))
    if previous_comments:
        _send_request(api, api.edit_method, _build_comment_url(api, previous_comments[0]), {"body": text})
        return "updated"
    cost_change = find_cost_change(text)
    if above is not None and cost_change is not None and cost_change <= above:
        return "skipped"
    _send_request(api, "POST", api.list_url, {"body": text})
    return "created"


def _is_own(comment: Any, api: CommentApi, login: str) -> bool:
    return bool(_get_key(_get_key(comment, api.author_key), api.login_key) == login)


def _find_plans(comment: Any) -> frozenset[str]:
    return find_plan_hashes(str(_get_key(comment, "body")))


def _build_comment_url(api: CommentApi, comment: Any) -> str:
    return api.comment_url.format(id=int(_get_key(comment, "id")))


def _fetch_login(api: CommentApi) -> str:
    try:
        response = _send_request(
            api,
            "POST" if api.login_query else "GET",
            api.login_url,
            {"query": api.login_query} if api.login_query else None,
        )
    except UserError:
        if not api.default_login:
            raise
        return api.default_login
    if api.login_query:
        response = _get_key(_get_key(response, "data"), "viewer")
    return str(_get_key(response, api.login_key) or api.default_login)


def _list_comments(api: CommentApi) -> Iterator[Any]:
    for page in range(1, 101):
        comments = _send_request(api, "GET", f"{api.list_url}?per_page={_PAGE}&page={page}")
        yield from comments
        if len(comments) < _PAGE:
            return


def _send_request(api: CommentApi, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {**api.headers, "Content-Type": "application/json", "User-Agent": "sustainable-mlops"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  (the address is the CI's own)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            data = response.read()
            return json.loads(data) if data else None
    except urllib.error.HTTPError as error:
        raise UserError(f"{method} {url}: HTTP {error.code}; check the token and its permissions") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{method} {url}: {error}") from None


def _get_key(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
