"""Root module of an environment, built from its settings and its components."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from envs.common import CommonSettings
from envs.log_groups import ManagedLogGroup
from envs.names import EnvironmentName, NameKind
from modules.iam_statements import StatementsByPhase
from sustainable_mlops.authoring import Field, ModuleInputs
from sustainable_mlops.authoring.author_errors import find_author_location, locate_definition, make_author_error
from sustainable_mlops.authoring.entries import check_output
from sustainable_mlops.authoring.expressions import contains, keys, set_of, when
from sustainable_mlops.authoring.resources import Module, Outputs, Root
from sustainable_mlops.base.errors import did_you_mean
from sustainable_mlops.base.log_groups import SETTING


class AnyComponent(Protocol):
    """A component of any settings: the methods of `envs.component.Component` that the root module calls."""

    def list_names(self) -> Iterator[EnvironmentName]: ...
    def list_log_groups(self) -> Iterator[ManagedLogGroup]: ...
    def list_iam_statements(self, env: "EnvironmentRoot") -> Iterator[StatementsByPhase]: ...
    def list_readable_bucket_arns(self) -> Iterator[str]: ...
    def add(self, env: "EnvironmentRoot") -> None: ...
    def list_platform_fields(self) -> Mapping[str, Any]: ...
    def list_large_fields(self) -> Mapping[str, Any]: ...
    def list_outputs(self) -> Outputs: ...


C = TypeVar("C", bound=AnyComponent)


class Inputs(ModuleInputs):
    """Inputs that an operator sets at plan time. All other values are in settings.yaml and the catalogue."""

    model_packages: dict[str, str] = Field(
        {}, description="ARN of the approved model package to serve, by model. The first one creates the endpoint."
    )


class EnvironmentRoot(Root[Inputs]):
    """Root module of one environment, in one account and Region."""

    #: The log groups of jobs were in the root module before `observability` existed.
    moved: Mapping[str, str] = {
        f'aws_cloudwatch_log_group.jobs["{jobs}"]': (
            f'module.observability.aws_cloudwatch_log_group.this["/aws/sagemaker/{jobs}"]'
        )
        for jobs in ("ProcessingJobs", "TrainingJobs", "TransformJobs")
    }

    def __init__(
        self,
        settings: CommonSettings,
        modules: Mapping[str, Module[Any]],
        components: Sequence[Callable[[CommonSettings], AnyComponent]],
    ) -> None:
        super().__init__(settings.environment)
        self.backend = _build_backend(settings)
        self.modules = _Modules(modules)
        self._settings = settings
        self._components = [component(settings) for component in components]
        self._added: list[AnyComponent] = []

    def build(self, var: Inputs) -> Outputs:
        self._add_provider()
        for component in self._components:
            component.add(self)
            self._added.append(component)
        self._adopt_log_groups(var)
        return _merge_results(self._added, "list_outputs")

    def __getitem__(self, kind: type[C]) -> C:
        """Return the component of this kind that was added before. Raises UserError if there is none.

        Its attributes refer to its resources: `env[Storage].kms_key_arn`.
        """
        for component in self._added:
            if isinstance(component, kind):
                return component
        is_later = any(isinstance(component, kind) for component in self._components)
        requester = type(self._components[len(self._added)]).__name__
        remedy = f"move it before {requester}" if is_later else f"add it before {requester}"
        message = (
            f"{requester} needs {kind.__name__}, which was not added yet; {remedy} in COMPONENTS of envs/environment.py"
        )
        raise make_author_error(message, find_author_location(skip_file=__file__))

    def find_components(self, kind: type[C]) -> list[C]:
        """Return the components of this kind that were added before."""
        return [component for component in self._added if isinstance(component, kind)]

    def list_names(self, kind: NameKind) -> list[str]:
        """Return the names of this kind from all components, including later ones."""
        return [name.text for component in self._components for name in component.list_names() if name.kind == kind]

    def list_iam_statements(self) -> list[StatementsByPhase]:
        """Return the IAM statements of all module calls, also of components that are added later."""
        return [statements for component in self._components for statements in component.list_iam_statements(self)]

    def list_readable_bucket_arns(self) -> list[str]:
        """Return the buckets of other accounts that jobs or endpoints of any component read."""
        return [arn for component in self._components for arn in component.list_readable_bucket_arns()]

    def list_platform_fields(self) -> dict[str, Any]:
        """Return the platform fields of the components added before. Raises UserError for a duplicate field."""
        return _merge_results(self._added, "list_platform_fields")

    def list_large_fields(self) -> dict[str, Any]:
        """Return the fields of the output `platform` that the parameter does not hold."""
        return _merge_results(self._added, "list_large_fields")

    def _adopt_log_groups(self, var: Inputs) -> None:
        """Import existing log groups of the account."""
        groups = {group.name: group for component in self._components for group in component.list_log_groups()}
        for name in self._settings.existing_log_groups:
            group = groups[name]
            models: Any = None
            if group.model is not None:
                none: list[str] = []
                models = set_of(when(contains(keys(var.model_packages), group.model), [group.model], none))
            self.adopt(group.address, name, why=f"The log group already exists: see {SETTING}.", for_each=models)

    def _add_provider(self) -> None:
        settings = self._settings
        provider: dict[str, Any] = {"region": settings.region, "allowed_account_ids": [settings.account_id]}
        if settings.assume_role_arn:
            provider["assume_role"] = {"role_arn": settings.assume_role_arn}
        provider["default_tags"] = {"tags": settings.all_tags}
        self.configure_provider(provider)


class _Modules(dict[str, Module[Any]]):
    def __missing__(self, name: str) -> Module[Any]:
        raise make_author_error(
            f"no module is named '{name}'{did_you_mean(name, self)}", find_author_location(skip_file=__file__)
        )


def _merge_results(
    components: Iterable[AnyComponent], method: Literal["list_large_fields", "list_outputs", "list_platform_fields"]
) -> dict[str, Any]:
    """Merge the results of a method of all components. Raises UserError for a duplicate name."""
    results: dict[str, Any] = {}
    owners: dict[str, AnyComponent] = {}
    for component in components:
        build_results = getattr(component, method)
        for name, value in build_results().items():
            if method == "list_outputs":
                check_output(name, value, build_results)
            if name in results:
                this, other = (type(one).__name__ for one in (component, owners[name]))
                raise make_author_error(
                    f"'{name}' is in {method}() of {this} and of {other}; rename one of them",
                    locate_definition(build_results),
                )
            results[name], owners[name] = value, component
    return results


def _build_backend(settings: CommonSettings) -> dict[str, Any]:
    backend: dict[str, Any] = {
        "bucket": settings.state.bucket,
        "key": f"{settings.environment}/terraform.tfstate",
        "region": settings.region,
        "use_lockfile": True,
        "allowed_account_ids": [settings.account_id],
    }
    if settings.state.kms_key_arn:
        # Without a key, `encrypt` asks for SSE-S3, which the bucket of bootstrap denies. S3 then uses the bucket's key.
        backend |= {"encrypt": True, "kms_key_id": settings.state.kms_key_arn}
    if settings.assume_role_arn:
        backend["assume_role"] = {"role_arn": settings.assume_role_arn}
    return backend
