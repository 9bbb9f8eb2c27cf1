"""Output locations of asynchronous requests in S3."""

from pathlib import PurePosixPath

from sagemaker_sandbox.resources.resources import Fields


def resolve_output_locations(output: Fields, request: Fields, inference_id: str) -> tuple[str | None, str | None]:
    """Return the S3 URIs of the response and of a failure.

    Inputs are the OutputConfig of the endpoint and the request. AWS documents the file name, which follows from the
    inference id, and the extension for responses. The name of a failure is that observed on AWS; the extension is
    assumed to apply to it too.
    """
    name = PurePosixPath(request.get("Filename") or f"{inference_id}.out")
    extension = request.get("S3OutputPathExtension", "").strip("/")
    failure_name = f"{name.stem}-error{name.suffix}"
    response_path, failure_path = output.get("S3OutputPath"), output.get("S3FailurePath")
    return _join_path(response_path, extension, str(name)), _join_path(failure_path, extension, failure_name)


def _join_path(path: str | None, *names: str) -> str | None:
    return "/".join([path.rstrip("/"), *filter(None, names)]) if path else None
