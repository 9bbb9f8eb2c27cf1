"""State of the Well-Architected Tool: lenses and workloads of an account and Region, in a backend of moto's form."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from sagemaker_sandbox.base.errors import ApiError, ConflictError, NotEmulatedError, ValidationError
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.wellarchitected.risk_rules import find_risk

SERVICE = "wellarchitected"
#: Version of a lens before it is published.
DRAFT = "DRAFT"
#: Alias of the lens of the AWS Well-Architected Framework, which workloads have by default.
FRAMEWORK = "wellarchitected"


class LensReviewNotFoundError(ApiError):
    """A lens, workload or question that does not exist."""

    code = "ResourceNotFoundException"
    status = 404

    def __init__(self, kind: str, id_: str) -> None:
        super().__init__(f"{kind} {id_} does not exist.", ResourceId=id_, ResourceType=kind.upper())


class LensReviewConflictError(ConflictError):
    """A lens or workload whose state does not allow the operation."""

    status = 409

    def __init__(self, message: str, kind: str, id_: str) -> None:
        super().__init__(message, ResourceId=id_, ResourceType=kind.upper())


@dataclass
class CustomLens:
    """A custom lens: its documents by version, in the order of publication, and the draft."""

    arn: str
    account: str
    created: datetime
    updated: datetime
    tags: dict[str, str]
    draft: Fields | None
    versions: dict[str, Fields] = field(default_factory=dict)

    def find_version(self, version: str = "") -> tuple[str, Fields]:
        """Return a version and its document: by default the latest one, else the draft.

        Raise LensReviewNotFoundError if there is none.
        """
        if not version and self.versions:
            version = next(reversed(self.versions))
        if version in ("", DRAFT) and self.draft is not None:
            return DRAFT, self.draft
        if version not in self.versions:
            raise LensReviewNotFoundError("Lens version", version or self.arn)
        return version, self.versions[version]


@dataclass
class WorkloadLens:
    """A lens of a workload: the document of its version, and the answers by question."""

    version: str
    document: Fields
    answers: dict[str, Fields] = field(default_factory=dict)

    def list_questions(self) -> list[tuple[str, Fields]]:
        """Return the questions with the IDs of their pillars."""
        return [(pillar["id"], question) for pillar in self.document["pillars"] for question in pillar["questions"]]

    def find_question(self, id_: str) -> tuple[str, Fields]:
        """Return a question with the ID of its pillar. Raises LensReviewNotFoundError."""
        for pillar, question in self.list_questions():
            if question["id"] == id_:
                return pillar, question
        raise LensReviewNotFoundError("Question", id_)

    def update_answer(self, id_: str, changes: Fields) -> None:
        """Change the answer to a question. Raises ValidationError."""
        _, question = self.find_question(id_)
        ids = {choice["id"] for choice in question["choices"]}
        updates = changes.get("ChoiceUpdates") or {}
        if unknown := ({*updates, *(changes.get("SelectedChoices") or ())} - ids):
            raise ValidationError(f"Question {id_} has no choice {', '.join(sorted(unknown))}.")
        answer = dict(self.answers.get(id_, {}))
        choices: dict[str, Fields] = dict(answer.get("choices", {}))
        if "SelectedChoices" in changes:  # these replace the selection
            choices = {name: choice for name, choice in choices.items() if choice["Status"] != "SELECTED"}
            choices |= {name: {"Status": "SELECTED"} for name in changes["SelectedChoices"] or ()}
        answer["choices"] = choices | {name: dict(update) for name, update in updates.items()}
        answer |= {name: changes[name] for name in ("Notes", "IsApplicable", "Reason") if name in changes}
        self.answers[id_] = answer

    def compute_risk(self, question: Fields) -> str:
        """Return the risk of a question. Choices that are not applicable do not count."""
        answer = self.answers.get(question["id"], {})
        if answer.get("IsApplicable") is False:
            return "NOT_APPLICABLE"
        statuses = {name: choice["Status"] for name, choice in answer.get("choices", {}).items()}
        if "SELECTED" not in statuses.values():
            return "UNANSWERED"
        applicable = [c["id"] for c in question["choices"] if statuses.get(c["id"]) != "NOT_APPLICABLE"]
        return find_risk(question["riskRules"], {id_: statuses.get(id_) == "SELECTED" for id_ in applicable})


@dataclass
class Workload:
    """A workload: its parameters, and its lenses by alias. The document of an official lens is not known here."""

    id: str
    arn: str
    parameters: Fields
    updated: datetime
    lenses: dict[str, WorkloadLens | None] = field(default_factory=dict)

    def find_lens(self, alias: str) -> WorkloadLens:
        """Return a custom lens of the workload. Raises LensReviewNotFoundError."""
        if alias not in self.lenses:
            raise LensReviewNotFoundError("Lens review", alias)
        lens = self.lenses[alias]
        if lens is None:
            raise NotEmulatedError(f"The content of the official lens {alias}")
        return lens


class LensReviewBackend(BaseBackend):  # type: ignore[misc]  # moto has no types here
    """Lenses by ARN and workloads by ID of one account and Region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lenses: dict[str, CustomLens] = {}
        self.workloads: dict[str, Workload] = {}

    def build_arn(self, kind: str, id_: str) -> str:
        """Return the ARN of a lens or workload."""
        return f"arn:aws:{SERVICE}:{self.region_name}:{self.account_id}:{kind}/{id_}"

    def find_lens(self, alias: str) -> CustomLens:
        """Return a lens. Raises LensReviewNotFoundError."""
        if alias not in self.lenses:
            raise LensReviewNotFoundError("Lens", alias)
        return self.lenses[alias]

    def find_workload(self, id_: str) -> Workload:
        """Return a workload. Raises LensReviewNotFoundError."""
        if id_ not in self.workloads:
            raise LensReviewNotFoundError("Workload", id_)
        return self.workloads[id_]

    def add_lenses(self, workload: Workload, aliases: list[str]) -> None:
        """Add lenses to a workload. Raises ValidationError for a lens that is not published."""
        lenses: dict[str, WorkloadLens | None] = {}
        for alias in aliases:
            if alias == FRAMEWORK:
                lenses[alias] = None
                continue
            version, document = self.find_lens(alias).find_version()
            if version == DRAFT:
                raise ValidationError(f"Lens {alias} is a draft; publish it with CreateLensVersion.")
            lenses[alias] = WorkloadLens(version, document)
        workload.lenses |= {alias: lens for alias, lens in lenses.items() if alias not in workload.lenses}


def create_id() -> str:
    """Return the ID of a new lens or workload."""
    return uuid.uuid4().hex


#: Backends by account and Region.
BACKENDS: Any = BackendDict(LensReviewBackend, SERVICE)


def get_backend(account: str, region: str) -> LensReviewBackend:
    """Return the lenses and workloads of an account and Region."""
    backend: LensReviewBackend = BACKENDS[account][region]
    return backend
