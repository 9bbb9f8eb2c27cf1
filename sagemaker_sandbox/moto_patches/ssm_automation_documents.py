"""Systems Manager: moto accepts any content of an Automation document. AWS checks it."""

import json
from typing import Any

import yaml
from moto.ssm.exceptions import InvalidDocumentContent
from moto.ssm.models import SimpleSystemManagerBackend

from sagemaker_sandbox.services.automation import document
from sagemaker_sandbox.services.automation.references import ContentError

_AUTOMATION = "Automation"


def apply() -> None:
    """Check the content of a document when it is created or updated."""
    create, update = SimpleSystemManagerBackend.create_document, SimpleSystemManagerBackend.update_document

    def create_document(self: Any, **request: Any) -> Any:
        if request["document_type"] == _AUTOMATION:
            _check(request["content"], request["document_format"])
        return create(self, **request)

    def update_document(self: Any, **request: Any) -> Any:
        versions = self._documents.get(request["name"])
        if versions is not None and versions.get_default_version().document_type == _AUTOMATION:
            _check(request["content"], request["document_format"])
        return update(self, **request)

    SimpleSystemManagerBackend.create_document = create_document
    SimpleSystemManagerBackend.update_document = update_document


def _check(content: Any, document_format: str) -> None:
    try:
        if not isinstance(content, dict):
            content = yaml.safe_load(content) if document_format == "YAML" else json.loads(content)
        document.parse_document(content)
    except (ContentError, ValueError, yaml.YAMLError) as error:
        raise InvalidDocumentContent(str(error)) from None
