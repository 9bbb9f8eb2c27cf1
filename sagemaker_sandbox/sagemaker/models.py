"""Models: containers, and the role that they use."""

from sagemaker_sandbox.base.errors import ValidationError
from sagemaker_sandbox.resources.handlers import emulated_operation
from sagemaker_sandbox.resources.listing import list_page
from sagemaker_sandbox.resources.resources import Fields, ResourceFamily
from sagemaker_sandbox.sagemaker import container_definitions
from sagemaker_sandbox.sagemaker.default_recommendations import recommend_deployment


class Models(ResourceFamily):
    """Handlers of CreateModel, DescribeModel, ListModels and DeleteModel."""

    arn_type = "model"
    noun = "model"

    @emulated_operation
    def create_model(self, request: Fields) -> Fields:
        """Create a model. Refuse containers that contradict each other or name missing resources."""
        self.check_name_is_free(request["ModelName"])
        if "PrimaryContainer" in request and "Containers" in request:
            raise ValidationError("You can specify either PrimaryContainer or Containers, but not both.")
        container_list = list_containers(request)
        if not container_list:
            raise ValidationError("You must provide either PrimaryContainer or Containers to create a model.")
        container_definitions.check_containers(self.region, request, container_list)
        for container in container_list:
            if package := container.get("ModelPackageName"):
                find_specification(self.region.call("DescribeModelPackage", {"ModelPackageName": package}), container)
        fields = {"EnableNetworkIsolation": False} | request
        model = self.add(request["ModelName"], fields, request.get("Tags"))
        model.fields["ModelArn"] = model.arn
        return {"ModelArn": model.arn}

    @emulated_operation
    def describe_model(self, request: Fields) -> Fields:
        """Return the model as created, with the recommendation for its deployment."""
        model = self.get(request["ModelName"])
        recommendation = recommend_deployment(model.name, list_containers(model.fields))
        return model.fields | {"DeploymentRecommendation": recommendation}

    @emulated_operation
    def list_models(self, request: Fields) -> Fields:
        """Return summaries, newest first."""
        return list_page("ListModels", request, self, name="ModelName")

    @emulated_operation
    def delete_model(self, request: Fields) -> Fields:
        """Delete the model. As on AWS, endpoints that serve it keep serving."""
        self.remove(self.get(request["ModelName"]))
        return {}


def list_containers(model: Fields) -> list[Fields]:
    """Return the container definitions of a model, one or several."""
    return [model["PrimaryContainer"]] if "PrimaryContainer" in model else model.get("Containers", [])


def find_specification(package: Fields, container: Fields) -> Fields:
    """Return the inference specification of a package that a container uses. Raises ValidationError."""
    name = container.get("InferenceSpecificationName")
    additional = {
        specification["Name"]: specification for specification in package.get("AdditionalInferenceSpecifications", [])
    }
    if name is not None and name not in additional:
        raise ValidationError(f"Inference specification {name} is not in model package {package['ModelPackageArn']}.")
    specification: Fields = package["InferenceSpecification"] if name is None else additional[name]
    return specification
