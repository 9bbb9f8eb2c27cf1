"""The AWS provider as one process for many runs of Terraform, `python provider_process.py PROVIDER`.

The schema of the provider's 1,500 resource types and 600 data sources has 5 MB. Every run of Terraform requests and
decodes it, which takes a second: ten times the rest of most runs. So a proxy forwards each call unchanged, except the
schema: it removes the types that no file of `_FOLDERS` names. Terraform refuses such a type as unsupported; with
`--whole-schema` after PROVIDER it keeps them all. The first line printed is the address. The process ends with its
input.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message_factory import GetMessages

_ROOT = Path(__file__).resolve().parents[1]
_FOLDERS = ("clone", "modules", "envs", "tests", "docs", "sustainable_mlops/rules/fixes")
_KINDS = ("md", "py", "tf", "json")
#: Cases that use the whole schema, and a type whose schema is larger than those of all other types in the cases.
_WITH_WHOLE_SCHEMA, _LARGE = _ROOT / "tests" / "review" / "adversarial", frozenset(("aws_wafv2_web_acl",))
_TYPE = re.compile(r"(?:\baws_|\bcdktn_provider_aws\.(?:data_aws_)?)(?P<type>[a-z0-9_]+)")
_ADDRESS = re.compile(r"TF_REATTACH_PROVIDERS='(?P<value>.*)'")
_SERVICE = "/tfplugin5.Provider/"
_SCHEMA = f"{_SERVICE}GetSchema"
#: The part of GetProviderSchema.Response (Terraform's tfplugin5.proto) with the schemas by type; protobuf keeps the
#: rest unchanged.
_PROTO = """
name: "schema.proto" syntax: "proto2"
message_type {
  name: "Entry"
  field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "Response"
  field { name: "resources" number: 2 type: TYPE_MESSAGE type_name: ".Entry" label: LABEL_REPEATED }
  field { name: "data_sources" number: 3 type: TYPE_MESSAGE type_name: ".Entry" label: LABEL_REPEATED }
  field { name: "ephemeral" number: 8 type: TYPE_MESSAGE type_name: ".Entry" label: LABEL_REPEATED }
}
"""
_RESPONSE: Any = GetMessages([text_format.Parse(_PROTO, FileDescriptorProto())])["Response"]
_ANY_SIZE = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_AT_ONCE = 64


def list_types() -> frozenset[str]:
    """Return each word that can be a type of the provider: in HCL, in Python, on pages, or in the bindings."""
    files = (file for name in _FOLDERS for kind in _KINDS for file in (_ROOT / name).rglob(f"*.{kind}"))
    texts = (file.read_text("utf-8") for file in files if not file.is_relative_to(_WITH_WHOLE_SCHEMA))
    return frozenset(f"aws_{match['type']}" for text in texts for match in _TYPE.finditer(text)) - _LARGE


def shorten_schema(schema: bytes, types: frozenset[str]) -> bytes:
    """Return a GetProviderSchema.Response with these types only."""
    message = _RESPONSE.FromString(schema)
    for by_type in (message.resources, message.data_sources, message.ephemeral):
        entries = [entry for entry in by_type if entry.key in types]
        del by_type[:]
        by_type.extend(entries)
    whole: bytes = message.SerializeToString()
    return whole


class Proxy(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Calls are handed on as bytes."""

    def __init__(self, provider: grpc.Channel, shortens_schema: bool) -> None:
        self._provider = provider
        self._shortens_schema = shortens_schema
        self._schema = b""

    def service(self, handler_call_details: Any) -> Any:
        method = handler_call_details.method
        if not method.startswith(_SERVICE):
            return None  # go-plugin's own, without which Terraform does
        hand_on: Callable[[bytes], bytes] = self._provider.unary_unary(method)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                if method != _SCHEMA or not self._shortens_schema:
                    return hand_on(request)
                self._schema = self._schema or shorten_schema(hand_on(request), list_types())
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
            return self._schema

        return grpc.unary_unary_rpc_method_handler(answer)


def main(program: str, *options: str) -> None:
    """Start it, say where it is, and end it with this process's input."""
    provider = subprocess.Popen([program, "-debug"], text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        reattach = next(
            json.loads(match["value"]) for line in provider.stdout or () if (match := _ADDRESS.search(line))
        )
        ((name, configuration),) = reattach.items()
        # OpenTofu looks for the same provider by the name of its own registry.
        reattach[name.replace("registry.terraform.io", "registry.opentofu.org")] = configuration
        address = configuration["Addr"]
        with (
            tempfile.TemporaryDirectory() as folder,
            grpc.insecure_channel(f"unix:{address['String']}", _ANY_SIZE) as own,
        ):
            server = grpc.server(
                ThreadPoolExecutor(_AT_ONCE), [Proxy(own, "--whole-schema" not in options)], options=_ANY_SIZE
            )
            address["String"] = f"{folder}/provider.sock"
            server.add_insecure_port(f"unix:{address['String']}")
            server.start()
            print(json.dumps(reattach), flush=True)
            sys.stdin.read()
            server.stop(None).wait()
    finally:
        provider.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
