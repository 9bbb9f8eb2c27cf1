"""One comment on a pull or merge request about the same plans: written once, replaced from then on.

Only a comment that this token's user wrote is replaced: whoever wrote it could change what it says afterwards.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sustainable_mlops.errors import UserError
from sustainable_mlops.review.comment_marker import plans_of

_TIMEOUT_S = 30
_PAGE = 100


class Place(NamedTuple):
    """Where comments are: their address, the token's header, and how the service calls things."""

    comments: str  # the collection's URL
    one: str  # the URL of one comment, with {id}
    user: str  # where it says who the token belongs to
    headers: Mapping[str, str]
    author: str  # the key of a comment's author
    login: str  # the key of a user's name
    edit: str  # the method that changes a comment
    query: str = ""  # how `user` is asked, where it is GraphQL
    otherwise: str = ""  # who it is where the service does not tell


def github(api: str, repository: str, number: str, token: str, graphql: str = "") -> Place:
    """A pull request on GitHub. `token`: a workflow's, an app's or a person's, with `pull-requests: write`."""
    issues = f"{api}/repos/{repository}/issues"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    one = f"{issues}/comments/{{id}}"
    comments, user = f"{issues}/{number}/comments", graphql or f"{api}/graphql"
    # The REST API tells no app who it is.
    return Place(comments, one, user, headers, "user", "login", "PATCH", "{viewer{login}}", "github-actions[bot]")


def gitlab(api: str, project: str, number: str, token: str) -> Place:
    """A merge request on GitLab. `token` is a project or group access token with the scope `api`."""
    notes = f"{api}/projects/{project}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": token}
    return Place(notes, f"{notes}/{{id}}", f"{api}/user", headers, "author", "username", "PUT")


def place(environment: Mapping[str, str]) -> Place:
    """Where a GitHub workflow or a GitLab pipeline runs. Raises UserError where it is none of a pull request."""
    if environment.get("CI_MERGE_REQUEST_IID"):
        api, project = _needed(environment, "CI_API_V4_URL"), _needed(environment, "CI_PROJECT_ID")
        return gitlab(api, project, environment["CI_MERGE_REQUEST_IID"], _needed(environment, "GITLAB_TOKEN"))
    api = environment.get("GITHUB_API_URL") or "https://api.github.com"
    repository, token = _needed(environment, "GITHUB_REPOSITORY"), _needed(environment, "GITHUB_TOKEN")
    return github(
        api, repository, _needed(environment, "PULL_REQUEST"), token, environment.get("GITHUB_GRAPHQL_URL", "")
    )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise UserError(f"{name}: is not set; run this in a workflow or pipeline of a pull or merge request")
    return value


def post(text: str, where: Place) -> str:
    """Replace the comment about the plans that the review `text` is about, or write it; `created` or `updated`.

    A comment that shares a plan with it is replaced, and where there are several, as once was one a plan, the others
    are deleted. Raises UserError where a request fails.
    """
    login, plans = _login(where), plans_of(text)
    same = [comment for comment in _comments(where) if _own(comment, where, login) and plans & _plans(comment)]
    for comment in same[1:]:
        _call(where, "DELETE", _url(where, comment))
    if same:
        _call(where, where.edit, _url(where, same[0]), {"body": text})
        return "updated"
    _call(where, "POST", where.comments, {"body": text})
    return "created"


def _own(comment: Any, where: Place, login: str) -> bool:
    return bool(_get(_get(comment, where.author), where.login) == login)


def _plans(comment: Any) -> frozenset[str]:
    return plans_of(str(_get(comment, "body")))


def _url(where: Place, comment: Any) -> str:
    return where.one.format(id=int(_get(comment, "id")))


def _login(where: Place) -> str:
    try:
        found = _call(
            where, "POST" if where.query else "GET", where.user, {"query": where.query} if where.query else None
        )
    except UserError:
        if not where.otherwise:
            raise
        return where.otherwise
    if where.query:
        found = _get(_get(found, "data"), "viewer")
    return str(_get(found, where.login) or where.otherwise)


def _comments(where: Place) -> Iterator[Any]:
    for page in range(1, 101):
        found = _call(where, "GET", f"{where.comments}?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return


def _call(where: Place, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {**where.headers, "Content-Type": "application/json", "User-Agent": "sustainable-mlops"}
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  (the address is the CI's own)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
            data = response.read()
            return json.loads(data) if data else None
    except urllib.error.HTTPError as error:
        raise UserError(f"{method} {url}: HTTP {error.code}; check the token and its permissions") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{method} {url}: {error}") from None


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
