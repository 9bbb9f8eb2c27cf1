"""What a client asks again because the answer was lost."""

import pytest
from werkzeug import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from sustainable_mlops.sandbox.retries import Answers


def request(call: str, attempt: str) -> Request:
    headers = Headers([("amz-sdk-invocation-id", call), ("amz-sdk-request", attempt)])
    return EnvironBuilder(headers=headers).get_request(Request)


def test_a_retry_of_what_was_done_gets_the_same_answer_and_does_nothing_twice() -> None:
    answers, done = Answers(), []

    def delete() -> Response:
        done.append("deleted")
        return Response(f"deleted {len(done)}")

    first = answers.of(request("one", "attempt=1; max=3"), delete)
    assert answers.of(request("one", "attempt=2; max=3"), delete).get_data() == first.get_data()
    assert answers.of(request("two", "attempt=1"), delete).get_data() == b"deleted 2"
    assert done == ["deleted", "deleted"]


@pytest.mark.parametrize("status", [400, 500])
def test_what_was_refused_is_asked_anew(status: int) -> None:
    answers, codes = Answers(), [status, 200]
    assert answers.of(request("one", "attempt=1"), lambda: Response(status=codes.pop(0))).status_code == status
    assert answers.of(request("one", "attempt=2"), lambda: Response(status=codes.pop(0))).status_code == 200
