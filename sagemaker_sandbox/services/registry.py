"""Registry of the operations that the sandbox answers itself, and their dispatch.

A group is a class of one service's operations. Its methods carry the same mark as SageMaker's handlers,
`emulated_operation`, and answer the operation of their name. All other operations are moto's. Requests are parsed and
responses are serialized by moto from botocore's models, so that handlers work for each protocol of a service.
"""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from botocore import xform_name
from botocore.model import OperationModel, StructureShape
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException

from sagemaker_sandbox.base import signature
from sagemaker_sandbox.base.accounts import find_account
from sagemaker_sandbox.base.context import DEFAULT_REGION
from sagemaker_sandbox.base.error_responses import serialize_error
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.connections import moto_request
from sagemaker_sandbox.resources.handlers import OperationSupport
from sagemaker_sandbox.resources.resources import Fields


class ServiceRequest(NamedTuple):
    """A parsed request to a service."""

    account: str
    region: str
    parameters: Fields


#: A handler. It returns the members of the response, and raises ApiError or moto's exceptions.
ServiceHandler = Callable[[ServiceRequest], Fields]


class ServiceOperations:
    """A group of operations of one service."""

    #: botocore's name of the service, moto's name of it, and the name that its requests are signed for.
    service: ClassVar[str]
    moto_service: ClassVar[str]
    signing_name: ClassVar[str]

    def list_handlers(self) -> dict[str, ServiceHandler]:
        """Return the handlers by the name of their method."""
        methods = inspect.getmembers(self, inspect.ismethod)
        return {
            name: method for name, method in methods if isinstance(getattr(method, "support", None), OperationSupport)
        }


class OperationRegistry:
    """All groups. `used_services` are moto's names of the services of which one operation was answered.

    `prepare` is called with moto's name of a service before a handler of it.
    """

    def __init__(self, prepare: Callable[[str], None], *groups: ServiceOperations) -> None:
        self.used_services: set[str] = set()
        self._prepare = prepare
        self._groups = groups
        self._handlers = {
            (group.service, name): handler for group in groups for name, handler in group.list_handlers().items()
        }

    def respond(self, request: Request) -> Response | None:
        """Return the response to a request, or None if moto answers its operation."""
        signed = signature.parse_signature(request)
        group = next((group for group in self._groups if group.signing_name == signed.service), None)
        if group is None:
            return None
        adapted = MotoRequest(moto_request.adapt_request(request))
        model = get_service_model(group.service)
        try:
            operation, path_parameters = get_service_router(group.service).match(adapted)
            handler = self._handlers.get((group.service, xform_name(operation.name)))
            protocol = determine_request_protocol(model, adapted.content_type)
        except (HTTPException, NotImplementedError):
            return None
        if handler is None:
            return None
        self._prepare(group.moto_service)
        self.used_services.add(group.moto_service)
        parameters = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": adapted.method,
                "values": adapted.values,
                "headers": adapted.headers,
                "body": adapted.data,
                "url_path": adapted.path,
                "url_params": path_parameters,
            }
        )
        service_request = ServiceRequest(find_account(request), signed.region or DEFAULT_REGION, parameters)
        result: Any
        try:
            result = handler(service_request)
        except ApiError as error:
            return serialize_error(error, group.service, adapted.content_type or "", operation.name)
        except ServiceException as error:
            result = error
        except HTTPException as error:
            return Response(error.description, status=error.code, headers=list(error.get_headers()))
        serialized = get_serializer_class(group.service, protocol)(operation).serialize(result)
        status = _find_status(operation, result) or serialized["status_code"]
        return Response(serialized["body"], status=status, headers=serialized["headers"])


def _find_status(operation: OperationModel, result: Any) -> int | None:
    """Return the HTTP status in a member of the response, or None. moto's serializers ignore it."""
    members = operation.output_shape.members if isinstance(operation.output_shape, StructureShape) else {}
    names = [name for name, member in members.items() if member.serialization.get("location") == "statusCode"]
    return next((result[name] for name in names if isinstance(result, dict) and name in result), None)
