"""Batch transform jobs: a model server that receives every record of the input."""

import gzip
import math
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sagemaker_sandbox.jobs.runtime import records
from sagemaker_sandbox.jobs.runtime.container import Container
from sagemaker_sandbox.jobs.runtime.container_invocation import ContainerRequest, ModelError
from sagemaker_sandbox.jobs.runtime.inputs import S3Input
from sagemaker_sandbox.jobs.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.jobs.runtime.job_endings import Ending
from sagemaker_sandbox.jobs.runtime.job_log import JobLog
from sagemaker_sandbox.jobs.runtime.model_data import ModelDataCache, ModelDataSource
from sagemaker_sandbox.jobs.runtime.model_server import Capacity, ModelServer
from sagemaker_sandbox.jobs.runtime.s3 import resolve_inside, translate_s3_errors
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.base.errors import UserError

#: Defaults of MaxPayloadInMB and ModelClientConfig. Source: CreateTransformJob in the SageMaker API reference.
PAYLOAD_MB, INVOCATION_SECONDS, RETRIES = 6, 600, 3
#: Payload limit in bytes for MaxPayloadInMB 0 (chunked encoding of any length).
_UNLIMITED_BYTES = 2**31

#: Variable with which SageMaker's containers know that they run in a transform job.
_BATCH_VARIABLE = "SAGEMAKER_BATCH"


@dataclass(frozen=True)
class ServedModel:
    """Model of a transform job: its data, and the environment of its container."""

    data: Sequence[ModelDataSource] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class TransformDefinition:
    """A valid CreateTransformJob request (a `job_definition.JobDefinition`) and its model.

    Several instances are emulated by one with more workers. Objects are processed in sequence.
    """

    noun: ClassVar[str] = "transform job"
    log_group: ClassVar[str] = "/aws/sagemaker/TransformJobs"
    metrics: Sequence[Mapping[str, str]] = ()
    is_spot = False
    limits = JobLimits()
    host_count = 1

    def __init__(self, request: Mapping[str, Any], model: ServedModel) -> None:
        self._request = request
        self._model = model
        self.name: str = request["TransformJobName"]

    def check(self) -> None:
        """Raise UserError for requests that only real SageMaker can run."""
        split_type = self._request["TransformInput"].get("SplitType", "None")
        if split_type not in ("None", "Line"):
            raise UserError(f"TransformInput.SplitType: the sandbox does not split {split_type}; use Line or None")
        S3Uri.parse(self._request["TransformOutput"]["S3OutputPath"], "TransformOutput.S3OutputPath")
        RecordTransform(self._request)

    def create_units(self, context: JobContext) -> Sequence["TransformServer"]:
        """Return one model server with its client thread."""
        return [TransformServer(self._request, self._model, context)]

    def upload(self, context: JobContext, units: Sequence["TransformServer"], ending: Ending) -> JobOutput:
        """Upload the outputs of objects that succeeded. A stopped job has no outputs."""
        output = self._request["TransformOutput"]
        address = S3Uri.parse(output["S3OutputPath"], "TransformOutput.S3OutputPath")
        for unit in units if ending.is_completed or ending.is_failed else ():
            with translate_s3_errors("Output upload", address):
                context.s3.upload_folder(unit.output, address, output.get("KmsKeyId"))
        return JobOutput()


class RecordTransform:
    """Splitting, batching and joining of records according to a request."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        transform_input, output = request["TransformInput"], request["TransformOutput"]
        self.content_type: str = transform_input.get("ContentType", "")
        self.accept: str = output.get("Accept", "")
        self.is_compressed = transform_input.get("CompressionType") == "Gzip"
        self.split_type: str = transform_input.get("SplitType", "None")
        self.is_single_record = request.get("BatchStrategy") == "SingleRecord"
        self.max_bytes = request.get("MaxPayloadInMB", PAYLOAD_MB) * records.MEBIBYTE or _UNLIMITED_BYTES
        self.assembles_lines = output.get("AssembleWith") == "Line"
        self.retries = request.get("ModelClientConfig", {}).get("InvocationsMaxRetries", RETRIES)
        self.processing = records.DataProcessing(request, self.content_type, self.accept)

    def build_batches(self, content: bytes) -> list[list[tuple[bytes, bytes]]]:
        """Return the records of an object by request: each record, and its input for the model."""
        if self.is_compressed:
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                raise UserError(f"not gzip: {error}") from None
        source_records = records.split_records(content, self.split_type)
        model_inputs = [self.processing.filter_input(record) for record in source_records]
        remaining = iter(source_records)
        return [
            [(next(remaining), model_input) for model_input in batch]
            for batch in records.batch_records(model_inputs, is_single=self.is_single_record, max_bytes=self.max_bytes)
        ]

    def assemble_output(self, batch: Sequence[tuple[bytes, bytes]], response: bytes) -> bytes:
        """Return the output for the response to one request."""
        if not self.processing.is_per_record:
            return response.rstrip(b"\n") + b"\n" if self.assembles_lines else response
        lines = response.splitlines() if len(batch) > 1 else [response.rstrip(b"\n")]
        if len(lines) != len(batch):
            raise UserError(
                f"the model returned {len(lines)} lines for {len(batch)} records, so they cannot be associated; use "
                "BatchStrategy SingleRecord, or answer a line for each record"
            )
        end = b"\n" if self.assembles_lines else b""
        return b"".join(
            self.processing.filter_output(record, line) + end for (record, _), line in zip(batch, lines, strict=True)
        )


class TransformServer:
    """A model server and the thread that sends it one object after the other (a `job_definition.JobUnit`)."""

    uploads = 0

    def __init__(self, request: Mapping[str, Any], model: ServedModel, context: JobContext) -> None:
        self.output = context.folder / "output"
        self._request = request
        self._model = model
        self._context = context
        self._record_transform = RecordTransform(request)
        instances = request["TransformResources"].get("InstanceCount", 1)
        self._concurrency = instances * (request.get("MaxConcurrentTransforms") or 1)
        self._objects: list[tuple[S3Uri, str]] = []
        self._timeout_seconds: float = INVOCATION_SECONDS
        self._server: ModelServer | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failures: list[str] = []

    @property
    def pids(self) -> Sequence[int]:
        """Process IDs of the workers."""
        return self._server.pids if self._server is not None else ()

    def prepare(self) -> None:
        """Download the model and list the input objects."""
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        self._objects = S3Input.from_source(source, "TransformInput").list_objects(self._context.s3)
        container = Container(self._context.folder / "algo-1", mounted=self._context.is_mounted, host="model")
        container.reset()
        data = ModelDataCache(self._context.s3.client, self._context.folder / "data")
        for source in self._model.data:
            data.copy_to(source, container.to_local_path(source.target, "target"), math.inf)
        data.close()
        client = self._request.get("ModelClientConfig", {})
        self._timeout_seconds = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)
        self._server = ModelServer(
            container,
            {
                _BATCH_VARIABLE: "true",
                **self._context.access,
                **self._model.environment,
                **self._request.get("Environment", {}),
            },
            Capacity(self._concurrency, idle_seconds=math.inf),
        )
        self.output.mkdir(parents=True, exist_ok=True)

    def start(self, wake: Callable[[], None]) -> None:
        """Start sending requests."""

        def transform_objects() -> None:
            try:
                with ThreadPoolExecutor(self._concurrency) as pool:
                    for address, name in self._objects:
                        if self._stopping.is_set():
                            return
                        self._transform(address, name, pool)
            except Exception as error:  # otherwise nothing would report the failure
                self._failures.append(f"{type(error).__name__}: {error}")
            finally:
                self._ended.set()
                wake()

        self._thread = threading.Thread(
            target=transform_objects, name=f"transform job {self._request['TransformJobName']}"
        )
        self._thread.start()

    def _transform(self, address: S3Uri, name: str, pool: ThreadPoolExecutor) -> None:
        """Transform one object. A failure is recorded, and the other objects continue."""
        content = self._context.folder / "input"
        try:
            target = resolve_inside(self.output, f"{name}.out")
            with translate_s3_errors("Data download", address):
                self._context.s3.download(address, content)
            outputs = list(pool.map(self._invoke_model, self._record_transform.build_batches(content.read_bytes())))
        except (UserError, ModelError) as error:
            self._failures.append(f"{address}: {error}")
            self._context.log.write(f"{address}: {error}", is_error=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(outputs))

    def _invoke_model(self, batch: Sequence[tuple[bytes, bytes]]) -> bytes:
        assert self._server is not None
        body = b"\n".join(model_input for _, model_input in batch)
        for attempt in range(self._record_transform.retries + 1):
            try:
                container_request = ContainerRequest.build(
                    body, self._record_transform.content_type, self._record_transform.accept, self._timeout_seconds
                )
                response = self._server.invoke(container_request).full_body
            except ModelError as error:
                is_client_error = 400 <= error.original_status < 500
                if is_client_error or attempt == self._record_transform.retries or self._stopping.is_set():
                    raise UserError(
                        f"Bad HTTP status received from algorithm: {error.original_status}: {error.message}"
                    ) from None
            else:
                return self._record_transform.assemble_output(batch, response)
        raise AssertionError

    def poll(self) -> int | None:
        """Return 0 if all objects succeeded, 1 if one failed, None while the server works."""
        if not self._ended.is_set():
            return None
        return 1 if self._failures else 0

    def sync(self) -> None:
        """Do nothing: outputs are uploaded at the end."""

    def terminate(self) -> None:
        """Send no more requests and drop active ones: a stopped job stores nothing."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()

    def close(self) -> int:
        """Stop sending requests and end the server."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        if self._thread is not None:
            self._thread.join()
        for log in sorted((self._context.folder / "algo-1" / "logs").glob("*.log")):
            for line in log.read_text(errors="replace").splitlines():
                self._context.log.write(line)
        return self.poll() or 0

    def describe_failure(self, _return_code: int, _log: JobLog) -> str:
        """Return the message of SageMaker with the first object that failed."""
        return f"AlgorithmError: See job logs for more information: {self._failures[0]}"
