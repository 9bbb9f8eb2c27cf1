"""Where the answer to an asynchronous request goes, or its failure."""

from pathlib import PurePosixPath

from sagemaker_sandbox.parts.resources import Fields


def resolve_output_locations(output: Fields, asked: Fields, inference_id: str) -> tuple[str | None, str | None]:
    """The place of the answer and that of a failure, by the endpoint's OutputConfig and the request.

    AWS documents the name that follows from the inference id, and the extension for answers; how a failure is called
    is as seen there, and the extension is assumed to count for it too.
    """
    name = PurePosixPath(asked.get("Filename") or f"{inference_id}.out")
    extension = asked.get("S3OutputPathExtension", "").strip("/")
    failed = f"{name.stem}-error{name.suffix}"
    answers, failures = output.get("S3OutputPath"), output.get("S3FailurePath")
    return _under(answers, extension, str(name)), _under(failures, extension, failed)


def _under(path: str | None, *names: str) -> str | None:
    return "/".join([path.rstrip("/"), *filter(None, names)]) if path else None
