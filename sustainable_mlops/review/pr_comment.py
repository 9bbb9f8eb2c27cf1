"""One comment on a pull or merge request about the same plans: written once, replaced from then on.

Only a comment that this token's user wrote is replaced: whoever wrote it could change what it says afterwards.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.review.comment_marker import find_plan_hashes

_TIMEOUT_S = 30
_PAGE = 100


class CommentApi(NamedTuple):
    """Where comments are: their address, the token's header, and how the service calls things."""

    list_url: str  # the collection's URL
    comment_url: str  # the URL of one comment, with {id}
    login_url: str  # where it says who the token belongs to
    headers: Mapping[str, str]
    author_key: str  # the key of a comment's author
    login_key: str  # the key of a user's name
    edit_method: str  # the method that changes a comment
    login_query: str = ""  # how `user` is asked, where it is GraphQL
    default_login: str = ""  # who it is where the service does not tell


def build_github_api(api: str, repository: str, number: str, token: str, graphql: str = "") -> CommentApi:
    """A pull request on GitHub. `token`: a workflow's, an app's or a person's, with `pull-requests: write`."""
    issues = f"{api}/repos/{repository}/issues"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    comment_url = f"{issues}/comments/{{id}}"
    comments, user = f"{issues}/{number}/comments", graphql or f"{api}/graphql"
    # The REST API tells no app who it is.
    return CommentApi(comments, comment_url, user, headers, "user", "login", "PATCH", "{viewer{login}}", "github-actions[bot]")


def build_gitlab_api(api: str, project: str, number: str, token: str) -> CommentApi:
    """A merge request on GitLab. `token` is a project or group access token with the scope `api`."""
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": token}
    return CommentApi(notes, f"{notes}/{{id}}", f"{api}/user", headers, "author", "username", "PUT")


def detect_api(environment: Mapping[str, str]) -> CommentApi:
    """Where a GitHub workflow or a GitLab pipeline runs. Raises UserError where it is none of a pull request."""
    if environment.get("CI_MERGE_REQUEST_IID"):
        api, project = _require_variable(environment, "CI_API_V4_URL"), _require_variable(environment, "CI_PROJECT_ID")
        return build_gitlab_api(api, project, environment["CI_MERGE_REQUEST_IID"], _require_variable(environment, "GITLAB_TOKEN"))
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    repository, token = _require_variable(environment, "GITHUB_REPOSITORY"), _require_variable(environment, "GITHUB_TOKEN")
    return build_github_api(
        api, repository, _require_variable(environment, "PULL_REQUEST"), token, environment.get("GITHUB_GRAPHQL_URL", "")
    )


def _require_variable(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UserError(f"{name}: is not set; run this in a workflow or pipeline of a pull or merge request")
    return value


def post_comment(text: str, api: CommentApi) -> str:
    """Replace the comment about the plans that the review `text` is about, or write it; `created` or `updated`.

    A comment that shares a plan with it is replaced, and where there are several, as once was one a plan, the others
    are deleted. Raises UserError where a request fails.
    """
    login, plans = _fetch_login(api), find_plan_hashes(text)
    previous_comments = [comment for comment in _list_comments(api) if _is_own(comment, api, login) and plans & _find_plans(comment)]
    for comment in previous_comments[1:]:
        _send_request(api, "DELETE", _build_comment_url(api, comment))
    if previous_comments:
        _send_request(api, api.edit_method, _build_comment_url(api, previous_comments[0]), {"body": text})
        return "updated"
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
