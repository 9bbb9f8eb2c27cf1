"""Batch transform jobs: a model served as an endpoint's is, and asked about every record of the input."""

import gzip
import math
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sagemaker_sandbox.runtime import records
from sagemaker_sandbox.runtime.container import Container
from sagemaker_sandbox.runtime.container_invocation import ContainerRequest, ModelError
from sagemaker_sandbox.runtime.endings import Ending
from sagemaker_sandbox.runtime.inputs import S3Input
from sagemaker_sandbox.runtime.job_definition import JobContext, JobLimits, JobOutput
from sagemaker_sandbox.runtime.job_log import JobLog
from sagemaker_sandbox.runtime.model_data import ModelDataCache, ModelDataSource
from sagemaker_sandbox.runtime.model_server import Capacity, ModelServer
from sagemaker_sandbox.runtime.s3 import resolve_inside, translate_s3_errors
from sustainable_mlops.aws.s3 import S3Uri
from sustainable_mlops.errors import UserError

#: Defaults of MaxPayloadInMB and ModelClientConfig. Source: CreateTransformJob in the SageMaker API reference.
PAYLOAD_MB, INVOCATION_SECONDS, RETRIES = 6, 600, 3
#: What MaxPayloadInMB 0 (chunked encoding of any length) comes to here.
_ANY_SIZE = 2**31


@dataclass(frozen=True)
class ServedModel:
    """What a transform job serves: the data of its model, and its container's environment."""

    data: Sequence[ModelDataSource] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class TransformDefinition:
    """A valid CreateTransformJob request (a `work.Work`) and its model.

    Several instances are served as one with as many workers more; objects are dealt with one after the other.
    """

    noun: ClassVar[str] = "transform job"
    log_group: ClassVar[str] = "/aws/sagemaker/TransformJobs"
    metrics: Sequence[Mapping[str, str]] = ()
    spot = False
    limits = JobLimits()
    host_count = 1

    def __init__(self, request: Mapping[str, Any], model: ServedModel) -> None:
        self._request = request
        self._model = model
        self.name: str = request["TransformJobName"]

    def check(self) -> None:
        """Raise UserError for what only real SageMaker can run."""
        split_type = self._request["TransformInput"].get("SplitType", "None")
        if split_type not in ("None", "Line"):
            raise UserError(f"TransformInput.SplitType: the sandbox does not split {split_type}; use Line or None")
        S3Uri.parse(self._request["TransformOutput"]["S3OutputPath"], "TransformOutput.S3OutputPath")
        RecordTransform(self._request)

    def create_units(self, setting: JobContext) -> Sequence["TransformServer"]:
        """One model server and what asks it."""
        return [TransformServer(self._request, self._model, setting)]

    def upload(self, setting: JobContext, units: Sequence["TransformServer"], ending: Ending) -> JobOutput:
        """The outputs of whole objects that succeeded; none of a job that was stopped."""
        output = self._request["TransformOutput"]
        address = S3Uri.parse(output["S3OutputPath"], "TransformOutput.S3OutputPath")
        for unit in units if ending.completed or ending.failed else ():
            with translate_s3_errors("Output upload", address):
                setting.s3.upload_folder(unit.output, address, output.get("KmsKeyId"))
        return JobOutput()


class RecordTransform:
    """How a request splits, asks, joins and assembles."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        given, output = request["TransformInput"], request["TransformOutput"]
        self.content_type: str = given.get("ContentType", "")
        self.accept: str = output.get("Accept", "")
        self.compressed = given.get("CompressionType") == "Gzip"
        self.split_type: str = given.get("SplitType", "None")
        self.single = request.get("BatchStrategy") == "SingleRecord"
        self.max_bytes = request.get("MaxPayloadInMB", PAYLOAD_MB) * records.MEBIBYTE or _ANY_SIZE
        self.assembles_lines = output.get("AssembleWith") == "Line"
        self.retries = request.get("ModelClientConfig", {}).get("InvocationsMaxRetries", RETRIES)
        self.processing = records.DataProcessing(request, self.content_type, self.accept)

    def build_batches(self, content: bytes) -> list[list[tuple[bytes, bytes]]]:
        """An object's records by request: each as it was, and as the model is asked."""
        if self.compressed:
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error) as error:
                raise UserError(f"not gzip: {error}") from None
        found = records.split_records(content, self.split_type)
        asked = [self.processing.filter_input(record) for record in found]
        left = iter(found)
        return [
            [(next(left), question) for question in batch]
            for batch in records.batch_records(asked, single=self.single, max_bytes=self.max_bytes)
        ]

    def assemble_output(self, batch: Sequence[tuple[bytes, bytes]], answer: bytes) -> bytes:
        """What of a request's answer goes into the output."""
        if not self.processing.is_per_record:
            return answer.rstrip(b"\n") + b"\n" if self.assembles_lines else answer
        answers = answer.splitlines() if len(batch) > 1 else [answer.rstrip(b"\n")]
        if len(answers) != len(batch):
            raise UserError(
                f"the model gave {len(answers)} lines for {len(batch)} records, so they cannot be associated; use "
                "BatchStrategy SingleRecord, or answer a line for each record"
            )
        end = b"\n" if self.assembles_lines else b""
        return b"".join(
            self.processing.filter_output(record, line) + end for (record, _), line in zip(batch, answers, strict=True)
        )


class TransformServer:
    """A model server, and the thread that asks it about one object after the other (a `work.Unit`)."""

    uploads = 0

    def __init__(self, request: Mapping[str, Any], model: ServedModel, setting: JobContext) -> None:
        self.output = setting.folder / "output"
        self._request = request
        self._model = model
        self._setting = setting
        self._asking = RecordTransform(request)
        instances = request["TransformResources"].get("InstanceCount", 1)
        self._at_once = instances * (request.get("MaxConcurrentTransforms") or 1)
        self._objects: list[tuple[S3Uri, str]] = []
        self._seconds: float = INVOCATION_SECONDS
        self._server: ModelServer | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failures: list[str] = []

    @property
    def pids(self) -> Sequence[int]:
        """The server's workers."""
        return self._server.pids if self._server is not None else ()

    def prepare(self) -> None:
        """Fetch the model and list the input."""
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        self._objects = S3Input.from_source(source, "TransformInput").list_objects(self._setting.s3)
        container = Container(self._setting.folder / "algo-1", mounted=self._setting.mounted, host="model")
        container.reset()
        data = ModelDataCache(self._setting.s3.client, self._setting.folder / "data")
        for source in self._model.data:
            data.copy_to(source, container.to_local_path(source.target, "target"), math.inf)
        data.close()
        client = self._request.get("ModelClientConfig", {})
        self._seconds = client.get("InvocationsTimeoutInSeconds", INVOCATION_SECONDS)
        self._server = ModelServer(
            container,
            {**self._setting.access, **self._model.environment, **self._request.get("Environment", {})},
            Capacity(self._at_once, idle_seconds=math.inf),
        )
        self.output.mkdir(parents=True, exist_ok=True)

    def start(self, wake: Callable[[], None]) -> None:
        """Start asking."""

        def work() -> None:
            try:
                with ThreadPoolExecutor(self._at_once) as pool:
                    for address, name in self._objects:
                        if self._stopping.is_set():
                            return
                        self._transform(address, name, pool)
            except Exception as error:  # the thread's last line: nobody else would say that it has failed
                self._failures.append(f"{type(error).__name__}: {error}")
            finally:
                self._ended.set()
                wake()

        self._thread = threading.Thread(target=work, name=f"transform job {self._request['TransformJobName']}")
        self._thread.start()

    def _transform(self, address: S3Uri, name: str, pool: ThreadPoolExecutor) -> None:
        """One object; a failure is noted, and the others go on."""
        content = self._setting.folder / "input"
        try:
            target = resolve_inside(self.output, f"{name}.out")
            with translate_s3_errors("Data download", address):
                self._setting.s3.download(address, content)
            answers = list(pool.map(self._ask, self._asking.build_batches(content.read_bytes())))
        except (UserError, ModelError) as error:
            self._failures.append(f"{address}: {error}")
            self._setting.log.write(f"{address}: {error}", is_error=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(answers))

    def _ask(self, batch: Sequence[tuple[bytes, bytes]]) -> bytes:
        assert self._server is not None
        body = b"\n".join(question for _, question in batch)
        for attempt in range(self._asking.retries + 1):
            try:
                asked = ContainerRequest.build(body, self._asking.content_type, self._asking.accept, self._seconds)
                answer = self._server.invoke(asked).full_body
            except ModelError as error:
                wrong = 400 <= error.original_status < 500
                if wrong or attempt == self._asking.retries or self._stopping.is_set():
                    raise UserError(
                        f"Bad HTTP status received from algorithm: {error.original_status}: {error.message}"
                    ) from None
            else:
                return self._asking.assemble_output(batch, answer)
        raise AssertionError

    def poll(self) -> int | None:
        """0 once all objects succeeded, 1 once one has failed and all have been tried."""
        if not self._ended.is_set():
            return None
        return 1 if self._failures else 0

    def sync(self) -> None:
        """Outputs follow at the end."""

    def terminate(self) -> None:
        """Nothing more is asked, and what is under way is dropped: a stopped job stores nothing."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()

    def close(self) -> int:
        """Stop asking and end the server."""
        self._stopping.set()
        if self._server is not None:
            self._server.close()
        if self._thread is not None:
            self._thread.join()
        for log in sorted((self._setting.folder / "algo-1" / "logs").glob("*.log")):
            for line in log.read_text(errors="replace").splitlines():
                self._setting.log.write(line)
        return self.poll() or 0

    def failure_reason(self, _return_code: int, _log: JobLog) -> str:
        """SageMaker's words, and the first object that failed."""
        return f"AlgorithmError: See job logs for more information: {self._failures[0]}"
