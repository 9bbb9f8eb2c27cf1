"""Operations of the Well-Architected Tool on custom lenses, workloads and answers."""

import json
from typing import Any

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.errors import ApiError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.resources import Fields
from sagemaker_sandbox.services.parameters import build_page, check_parameters
from sagemaker_sandbox.services.registry import ServiceOperations, ServiceRequest
from sagemaker_sandbox.services.wellarchitected.lens_documents import parse_lens
from sagemaker_sandbox.services.wellarchitected.lens_reviews import (
    DRAFT,
    SERVICE,
    CustomLens,
    LensReviewConflictError,
    LensReviewNotFoundError,
    Workload,
    WorkloadLens,
    create_id,
    get_backend,
)

#: Quota of custom lenses. Source: user guide, "Creating a custom lens": 15 lenses for an account.
MAX_LENSES = 15
#: Members of CreateWorkload that GetWorkload does not return, or returns in another form.
_REQUEST_ONLY = ("ClientRequestToken", "Lenses", "ProfileArns", "ReviewTemplateArns", "JiraConfiguration")
_PAGE = 50


class LensReviewOperations(ServiceOperations):
    """Operations of custom lenses, workloads and answers."""

    service = moto_service = signing_name = SERVICE

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @emulated_operation
    def import_lens(self, request: ServiceRequest) -> Fields:
        """Create a lens, or replace the draft of one. It is a draft until it is published."""
        parameters, backend = check_parameters(SERVICE, "ImportLens", request), self._get_backend(request)
        document, now = parse_lens(parameters["JSONString"]), self._clock.now()
        if alias := parameters.get("LensAlias"):
            lens = backend.find_lens(alias)
            lens.draft, lens.updated = document, now
            return {"LensArn": lens.arn, "Status": "COMPLETE"}
        if len(backend.lenses) >= MAX_LENSES:
            raise ApiError(
                f"The account has {MAX_LENSES} custom lenses already.", code="ServiceQuotaExceededException", status=402
            )
        arn = backend.build_arn("lens", create_id())
        backend.lenses[arn] = CustomLens(arn, request.account, now, now, parameters.get("Tags") or {}, document)
        return {"LensArn": arn, "Status": "COMPLETE"}

    @emulated_operation
    def create_lens_version(self, request: ServiceRequest) -> Fields:
        """Publish the draft of a lens."""
        parameters = check_parameters(SERVICE, "CreateLensVersion", request)
        lens, version = self._get_backend(request).find_lens(parameters["LensAlias"]), parameters["LensVersion"]
        if lens.draft is None:
            raise LensReviewConflictError("The lens has no draft to publish.", "Lens", lens.arn)
        if version in lens.versions:
            raise LensReviewConflictError(f"The lens has a version {version} already.", "Lens", lens.arn)
        lens.versions[version], lens.draft, lens.updated = lens.draft, None, self._clock.now()
        return {"LensArn": lens.arn, "LensVersion": version}

    @emulated_operation
    def get_lens(self, request: ServiceRequest) -> Fields:
        """Return the name, description and version of a lens."""
        parameters = check_parameters(SERVICE, "GetLens", request)
        lens = self._get_backend(request).find_lens(parameters["LensAlias"])
        version, document = lens.find_version(parameters.get("LensVersion") or "")
        fields = {
            "LensArn": lens.arn,
            "LensVersion": version,
            "Name": document["name"],
            "Description": document["description"],
            "Owner": lens.account,
        }
        return {"Lens": fields | ({"Tags": lens.tags} if lens.tags else {})}

    @emulated_operation
    def export_lens(self, request: ServiceRequest) -> Fields:
        """Return the document of a lens."""
        parameters = check_parameters(SERVICE, "ExportLens", request)
        lens = self._get_backend(request).find_lens(parameters["LensAlias"])
        return {"LensJSON": json.dumps(lens.find_version(parameters.get("LensVersion") or "")[1])}

    @emulated_operation
    def list_lenses(self, request: ServiceRequest) -> Fields:
        """Return a page of the custom lenses of the account. By default, these are the published ones."""
        parameters = check_parameters(SERVICE, "ListLenses", request)
        status, name = parameters.get("LensStatus") or "PUBLISHED", parameters.get("LensName") or ""
        is_own = parameters.get("LensType") in (None, "CUSTOM_SELF")
        lenses = self._get_backend(request).lenses.values() if is_own else ()
        matching_lenses = [lens for lens in lenses if status == "ALL" or _is_draft(lens) == (status == "DRAFT")]
        summaries = [summary for summary in map(_summarize_lens, matching_lenses) if name in summary["LensName"]]
        return build_page("LensSummaries", summaries, request, _PAGE)

    @emulated_operation
    def delete_lens(self, request: ServiceRequest) -> Fields:
        """Delete the draft of a lens, its versions, or all of it. Workloads keep the versions that they have."""
        parameters, backend = check_parameters(SERVICE, "DeleteLens", request), self._get_backend(request)
        lens, status = backend.find_lens(parameters["LensAlias"]), parameters["LensStatus"]
        if status in ("ALL", "DRAFT"):
            lens.draft = None
        if status in ("ALL", "PUBLISHED"):
            lens.versions.clear()
        if lens.draft is None and not lens.versions:
            del backend.lenses[lens.arn]
        return {}

    @emulated_operation
    def create_workload(self, request: ServiceRequest) -> Fields:
        """Create a workload with its lenses."""
        parameters, backend = check_parameters(SERVICE, "CreateWorkload", request), self._get_backend(request)
        id_, name = create_id(), parameters["WorkloadName"]
        if any(one.parameters["WorkloadName"] == name for one in backend.workloads.values()):
            raise LensReviewConflictError(f"A workload has the name {name} already.", "Workload", name)
        workload = Workload(id_, backend.build_arn("workload", id_), parameters, self._clock.now())
        backend.add_lenses(workload, parameters["Lenses"])
        backend.workloads[id_] = workload
        return {"WorkloadId": id_, "WorkloadArn": workload.arn}

    @emulated_operation
    def get_workload(self, request: ServiceRequest) -> Fields:
        """Return a workload with the number of questions of each risk."""
        check_parameters(SERVICE, "GetWorkload", request)
        workload = self._find_workload(request)
        parameters = {name: value for name, value in workload.parameters.items() if name not in _REQUEST_ONLY}
        return {"Workload": parameters | _summarize_workload(workload, request.account)}

    @emulated_operation
    def list_workloads(self, request: ServiceRequest) -> Fields:
        """Return a page of the workloads."""
        parameters = check_parameters(SERVICE, "ListWorkloads", request)
        prefix = parameters.get("WorkloadNamePrefix") or ""
        summaries = [
            _summarize_workload(workload, request.account)
            for workload in self._get_backend(request).workloads.values()
            if workload.parameters["WorkloadName"].startswith(prefix)
        ]
        return build_page("WorkloadSummaries", summaries, request, _PAGE)

    @emulated_operation
    def delete_workload(self, request: ServiceRequest) -> Fields:
        """Delete a workload with its answers."""
        check_parameters(SERVICE, "DeleteWorkload", request)
        workload = self._find_workload(request)
        del self._get_backend(request).workloads[workload.id]
        return {}

    @emulated_operation
    def associate_lenses(self, request: ServiceRequest) -> Fields:
        """Add lenses to a workload."""
        parameters = check_parameters(SERVICE, "AssociateLenses", request)
        workload = self._find_workload(request)
        self._get_backend(request).add_lenses(workload, parameters["LensAliases"])
        workload.updated = self._clock.now()
        return {}

    @emulated_operation
    def disassociate_lenses(self, request: ServiceRequest) -> Fields:
        """Remove lenses from a workload, with their answers."""
        parameters = check_parameters(SERVICE, "DisassociateLenses", request)
        workload = self._find_workload(request)
        for alias in parameters["LensAliases"]:
            if alias not in workload.lenses:
                raise LensReviewNotFoundError("Lens review", alias)
            del workload.lenses[alias]
        workload.updated = self._clock.now()
        return {}

    @emulated_operation
    def list_answers(self, request: ServiceRequest) -> Fields:
        """Return a page of the answers to a lens."""
        parameters = check_parameters(SERVICE, "ListAnswers", request)
        workload, alias = self._find_workload(request), parameters["LensAlias"]
        lens, pillar_id = workload.find_lens(alias), parameters.get("PillarId")
        summaries = [
            _summarize_answer(lens, pillar, question)
            for pillar, question in lens.list_questions()
            if pillar_id in (None, pillar)
        ]
        page = build_page("AnswerSummaries", summaries, request, _PAGE)
        return {"WorkloadId": workload.id, "LensAlias": alias, "LensArn": alias} | page

    @emulated_operation
    def get_answer(self, request: ServiceRequest) -> Fields:
        """Return the answer to a question."""
        check_parameters(SERVICE, "GetAnswer", request)
        return self._describe_answer(request)

    @emulated_operation
    def update_answer(self, request: ServiceRequest) -> Fields:
        """Change the answer to a question."""
        parameters = check_parameters(SERVICE, "UpdateAnswer", request)
        workload = self._find_workload(request)
        workload.find_lens(parameters["LensAlias"]).update_answer(parameters["QuestionId"], parameters)
        workload.updated = self._clock.now()
        return self._describe_answer(request)

    def _describe_answer(self, request: ServiceRequest) -> Fields:
        workload, alias = self._find_workload(request), request.parameters["LensAlias"]
        lens = workload.find_lens(alias)
        pillar, question = lens.find_question(request.parameters["QuestionId"])
        answer = _summarize_answer(lens, pillar, question)
        answer["ChoiceAnswers"] = answer.pop("ChoiceAnswerSummaries")
        answer.pop("QuestionType")
        if "description" in question:
            answer["QuestionDescription"] = question["description"]
        if resource := question.get("helpfulResource"):
            answer["HelpfulResourceDisplayText"] = resource["displayText"]
            answer |= {"HelpfulResourceUrl": resource["url"]} if "url" in resource else {}
        stored = lens.answers.get(question["id"], {})
        answer |= {"Notes": stored["Notes"]} if "Notes" in stored else {}
        return {"WorkloadId": workload.id, "LensAlias": alias, "LensArn": alias, "Answer": answer}

    @staticmethod
    def _get_backend(request: ServiceRequest) -> Any:
        return get_backend(request.account, request.region)

    def _find_workload(self, request: ServiceRequest) -> Workload:
        workload: Workload = self._get_backend(request).find_workload(request.parameters["WorkloadId"])
        return workload


def _is_draft(lens: CustomLens) -> bool:
    return lens.find_version()[0] == DRAFT


def _summarize_workload(workload: Workload, owner: str) -> Fields:
    return {
        "WorkloadId": workload.id,
        "WorkloadArn": workload.arn,
        "WorkloadName": workload.parameters["WorkloadName"],
        "Owner": owner,
        "UpdatedAt": workload.updated,
        "Lenses": list(workload.lenses),
        "RiskCounts": _count_risks([lens for lens in workload.lenses.values() if lens is not None]),
    }


def _summarize_lens(lens: CustomLens) -> Fields:
    version, document = lens.find_version()
    return {
        "LensArn": lens.arn,
        "LensAlias": lens.arn,
        "LensName": document["name"],
        "LensType": "CUSTOM_SELF",
        "Description": document["description"],
        "CreatedAt": lens.created,
        "UpdatedAt": lens.updated,
        "LensVersion": version,
        "Owner": lens.account,
        "LensStatus": "CURRENT",
    }


def _summarize_answer(lens: WorkloadLens, pillar: str, question: Fields) -> Fields:
    stored = lens.answers.get(question["id"], {})
    choices: dict[str, Fields] = stored.get("choices", {})
    answer = {
        "QuestionId": question["id"],
        "PillarId": pillar,
        "QuestionTitle": question["title"],
        "Choices": [_describe_choice(choice) for choice in question["choices"]],
        "SelectedChoices": [name for name, choice in choices.items() if choice["Status"] == "SELECTED"],
        "ChoiceAnswerSummaries": [{"ChoiceId": name} | choice for name, choice in choices.items()],
        "IsApplicable": stored.get("IsApplicable", True),
        "Risk": lens.compute_risk(question),
        "QuestionType": "NON_PRIORITIZED",
    }
    return answer | ({"Reason": stored["Reason"]} if "Reason" in stored else {})


def _describe_choice(choice: Fields) -> Fields:
    names = {"helpfulResource": "HelpfulResource", "improvementPlan": "ImprovementPlan"}
    described = {"ChoiceId": choice["id"], "Title": choice["title"]}
    described |= {names[key]: _describe_resource(choice[key]) for key in names if key in choice}
    additional = [
        {"Type": resource["type"], "Content": [_describe_resource(item) for item in resource["content"]]}
        for resource in choice.get("additionalResources", ())
    ]
    return described | ({"AdditionalResources": additional} if additional else {})


def _describe_resource(resource: Fields) -> Fields:
    return {"DisplayText": resource["displayText"]} | ({"Url": resource["url"]} if "url" in resource else {})


def _count_risks(lenses: list[WorkloadLens]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for lens in lenses:
        for _, question in lens.list_questions():
            risk = lens.compute_risk(question)
            counts[risk] = counts.get(risk, 0) + 1
    return counts
