"""A local service with the APIs of comments and pull requests, and the variables that select it."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service(BaseHTTPRequestHandler):
    """A handler of the comment APIs of GitHub and GitLab, and of new pull requests and environments of GitHub."""

    comments: list[dict[str, Any]] = []  # noqa: RUF012  (one list for all requests, emptied by the fixture)
    tokens: set[str] = set()  # noqa: RUF012
    #: Requests of new pull requests.
    pull_requests: list[dict[str, Any]] = []  # noqa: RUF012
    #: Protection rules of the environments of GitHub, by name.
    environments: dict[str, list[dict[str, Any]]] = {}  # noqa: RUF012
    #: Who the token belongs to: an app, which only GraphQL tells, or a workflow that may not ask.
    login = "reviewer[bot]"

    def _answer(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _body(self) -> str:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
        self.tokens.add(self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or "")
        return str(body)

    def do_GET(self) -> None:
        if self.path.endswith("/user"):
            self._answer({"username": self.login} if "v4" in self.path else {}, 200 if "v4" in self.path else 403)
            return
        if found := re.search(r"/environments/(\w+)$", self.path):
            rules = self.environments.get(found[1])
            self._answer({} if rules is None else {"protection_rules": rules}, 404 if rules is None else 200)
            return
        page = int(re.findall(r"page=(\d+)$", self.path)[0])
        self._answer(self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        if self.path.endswith("/graphql"):
            self.rfile.read(int(self.headers["Content-Length"]))
            texts = {"data": {"viewer": {"login": self.login}}}
            self._answer({"errors": [{}]} if self.login == "github-actions[bot]" else texts)
            return
        if self.path.endswith("/pulls"):
            self.pull_requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer({"html_url": f"https://github.example/{len(self.pull_requests)}"}, 201)
            return
        user = {"login": self.login, "username": self.login}
        self.comments.append({"id": len(self.comments), "body": self._body(), "user": user, "author": user})
        self._answer({}, 201)

    def do_PATCH(self) -> None:
        self._one()["body"] = self._body()
        self._answer({})

    def do_DELETE(self) -> None:
        self.comments.remove(self._one())
        self.send_response(204)
        self.end_headers()

    def _one(self) -> dict[str, Any]:
        (result,) = (comment for comment in self.comments if comment["id"] == int(self.path.rpartition("/")[2]))
        return result

    do_PUT = do_PATCH  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Discard the message."""


@contextmanager
def serve() -> Iterator[str]:
    """Yield the address of a service without comments."""
    Service.comments.clear()
    Service.pull_requests.clear()
    Service.environments.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # looks so often whether to end
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def environment(kind: str, service: str) -> dict[str, str]:
    if kind == "github":
        result = {"GITHUB_API_URL": service, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t", "PULL_REQUEST": "7"}
        return {**result, "CI_MERGE_REQUEST_IID": ""}
    result = {"CI_API_V4_URL": f"{service}/api/v4", "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7"}
    return {**result, "GITLAB_TOKEN": "t"}
