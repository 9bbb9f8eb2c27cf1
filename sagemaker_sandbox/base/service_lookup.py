"""Services by the signing name of a request."""

import functools
from collections.abc import Iterator

from botocore.model import ServiceModel

from sustainable_mlops.aws.service_model import load_service_model


def find_services(signing_name: str, target_prefix: str = "") -> Iterator[ServiceModel]:
    """Yield the models of the services with this signing name and, unless empty, this target prefix."""
    for model in _find_models(signing_name):
        if target_prefix in ("", model.metadata.get("targetPrefix", "")):
            yield model


@functools.cache
def _find_models(signing_name: str) -> tuple[ServiceModel, ...]:
    if not signing_name:
        return ()
    models = (load_service_model(name) for name in _list_candidates(signing_name))
    return tuple(model for model in models if model.signing_name == signing_name)


def _list_candidates(signing_name: str) -> list[str]:
    """Return names of services that may have this signing name. Loading all of botocore's models would take seconds.

    Most service names begin as their signing name does. moto's host patterns give the others, such as `cloudwatch` for
    `monitoring`.
    """
    import botocore.session
    from moto.backend_index import backend_url_patterns

    names: list[str] = botocore.session.get_session().get_available_services()
    url = f"https://{signing_name}.us-east-1.amazonaws.com"
    by_host = {name for name, pattern in backend_url_patterns if pattern.match(url)}
    return [name for name in names if name.startswith(signing_name[:3]) or name in by_host]
