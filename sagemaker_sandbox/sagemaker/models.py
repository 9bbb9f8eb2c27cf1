"""Models: what to serve and with which image."""

from sagemaker_sandbox.errors import ValidationError
from sagemaker_sandbox.parts.listing import list_page
from sagemaker_sandbox.parts.handlers import emulated_operation
from sagemaker_sandbox.parts.resources import ResourceFamily, Fields
from sagemaker_sandbox.sagemaker import container_definitions


class Models(ResourceFamily):
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    arn_type = "model"
    noun = "model"

    @emulated_operation
    def create_model(self, request: Fields) -> Fields:
        """Refused where its containers contradict each other, or name what does not exist."""
        self.check_name_is_free(request["ModelName"])
        if "PrimaryContainer" in request and "Containers" in request:
            raise ValidationError("You can specify either PrimaryContainer or Containers, but not both.")
        described = containers(request)
        if not described:
            raise ValidationError("You must provide either PrimaryContainer or Containers to create a model.")
        container_definitions.check(self.region, request, described)
        for container in described:
            if package := container.get("ModelPackageName"):
                specification(self.region.call("DescribeModelPackage", {"ModelPackageName": package}), container)
        fields = {"EnableNetworkIsolation": False} | request
        model = self.add(request["ModelName"], fields, request.get("Tags"))
        model.fields["ModelArn"] = model.arn
        return {"ModelArn": model.arn}

    @emulated_operation
    def describe_model(self, request: Fields) -> Fields:
        """The model as created."""
        return self.get(request["ModelName"]).fields

    @emulated_operation
    def list_models(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page("ListModels", request, self, name="ModelName")

    @emulated_operation
    def delete_model(self, request: Fields) -> Fields:
        """Endpoints that serve it keep doing so, as on AWS."""
        self.remove(self.get(request["ModelName"]))
        return {}


def containers(model: Fields) -> list[Fields]:
    """The container definitions of a model, one or several."""
    return [model["PrimaryContainer"]] if "PrimaryContainer" in model else model.get("Containers", [])


def specification(package: Fields, container: Fields) -> Fields:
    """What a container takes of its package: its inference specification, or the additional one that it names."""
    name = container.get("InferenceSpecificationName")
    additional = {one["Name"]: one for one in package.get("AdditionalInferenceSpecifications", [])}
    if name is not None and name not in additional:
        raise ValidationError(f"Inference specification {name} is not in model package {package['ModelPackageArn']}.")
    found: Fields = package["InferenceSpecification"] if name is None else additional[name]
    return found
