"""Names are readable, deterministic, short enough for the service, and unique."""

import re

import botocore.session
from hypothesis import given
from hypothesis import strategies as st

from envs.names import EnvironmentName, NameKind, find_problems, get_max_length, join_parts, shorten_name
from tests.cases import check_cases

KINDS = st.sampled_from(NameKind.__args__)  # type: ignore[attr-defined]
#: Texts like those of a prefix and keys.
TEXTS = st.from_regex(re.compile(r"[a-z]([a-z0-9-]{0,700}[a-z0-9])?", re.ASCII), fullmatch=True)


@check_cases(
    ("kind", "service", "shape"),
    [
        ("endpoint", "sagemaker", "EndpointName"),
        ("feature_group", "sagemaker", "FeatureGroupName"),
        ("log_group", "logs", "LogGroupName"),
        ("model_package_group", "sagemaker", "EntityName"),
    ],
)
def test_length_limits_equal_those_of_the_services(kind: NameKind, service: str, shape: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    assert get_max_length(kind) == model.shape_for(shape).metadata["max"]


@given(KINDS, TEXTS)
def test_only_names_that_are_too_long_change(kind: NameKind, text: str) -> None:
    name = shorten_name(kind, text)
    assert (name == text) == (len(text) <= get_max_length(kind))
    assert len(name) <= get_max_length(kind)
    assert shorten_name(kind, name) == name


@given(TEXTS)
def test_truncated_names_keep_their_start_and_end_in_a_letter_or_digit(text: str) -> None:
    whole = text.ljust(get_max_length("endpoint") + 1, "x")
    start, _, digest = shorten_name("endpoint", whole).rpartition("-")
    assert whole.startswith(start)
    assert len(start) > get_max_length("endpoint") // 2 or whole[len(start)] == "-"
    assert re.fullmatch("[0-9a-f]{8}", digest)


@given(st.lists(TEXTS, unique=True, min_size=2, max_size=2), st.integers(100, 200))
def test_names_that_differ_only_in_the_truncated_part_remain_different(ends: list[str], length: int) -> None:
    one, other = ("a" * length + end for end in ends)
    assert shorten_name("endpoint", one) != shorten_name("endpoint", other)


def test_names_are_deterministic() -> None:
    assert join_parts("smlops-dev", "flight_delay") == "smlops-dev-flight-delay"
    assert shorten_name("endpoint", "smlops-dev-" + "flight-delay-" * 5 + "end") == (
        "smlops-dev-flight-delay-flight-delay-flight-delay-flig-06ee2d22"
    )


def test_name_collisions_and_long_names_are_reported() -> None:
    names = [
        EnvironmentName("bucket", "storage.extra_buckets.x", "b" * 64),
        EnvironmentName("endpoint", "models.a.serverless_endpoint", "p-a"),
        EnvironmentName("feature_group", "feature_groups.a", "p-a"),
        EnvironmentName("endpoint", "models.a.other_endpoint", "p-a"),
    ]
    assert list(find_problems(names)) == [
        f"storage.extra_buckets.x: its bucket would be named '{'b' * 64}', 64 characters of at most 63; shorten the "
        "key or name_prefix",
        "models.a.other_endpoint and models.a.serverless_endpoint: the endpoint of both would be named 'p-a'; "
        "rename one",
    ]
