"""Models: what to serve and with which image."""

from sustainable_mlops.sandbox.errors import ValidationError
from sustainable_mlops.sandbox.sagemaker.model_packages import ModelPackages
from sustainable_mlops.sandbox.sagemaker.region import Region
from sustainable_mlops.sandbox.sagemaker.resources import Family, Fields, list_page


class Models(Family):
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    arn_type = "model"
    noun = "model"

    def __init__(self, region: Region, packages: ModelPackages) -> None:
        super().__init__(region)
        self._packages = packages

    def create_model(self, request: Fields) -> Fields:
        """Refused without a container, or where a container names a model package that does not exist."""
        self.must_be_free(request["ModelName"])
        if "PrimaryContainer" in request and "Containers" in request:
            raise ValidationError("You can specify either PrimaryContainer or Containers, but not both.")
        described = containers(request)
        if not described:
            raise ValidationError("You must provide either PrimaryContainer or Containers to create a model.")
        for container in described:
            self._check_container(container)
        fields = {"EnableNetworkIsolation": False} | request
        model = self.add(request["ModelName"], fields, request.get("Tags"))
        model.fields["ModelArn"] = model.arn
        return {"ModelArn": model.arn}

    def _check_container(self, container: Fields) -> None:
        if package := container.get("ModelPackageName"):
            self._packages.get(package)
        elif not container.get("Image"):
            raise ValidationError("Either Image or ModelPackageName must be specified for each container definition.")

    def describe_model(self, request: Fields) -> Fields:
        """The model as created."""
        return self.get(request["ModelName"]).fields

    def list_models(self, request: Fields) -> Fields:
        """Summaries, newest first."""
        return list_page(self, request, "Models", name="ModelName")

    def delete_model(self, request: Fields) -> Fields:
        """Endpoints that serve it keep doing so, as on AWS."""
        del self.resources[self.get(request["ModelName"]).name]
        return {}


def containers(model: Fields) -> list[Fields]:
    """The container definitions of a model, one or several."""
    return [model["PrimaryContainer"]] if "PrimaryContainer" in model else model.get("Containers", [])
