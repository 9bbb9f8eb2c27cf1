"""Notebooks and apps of ml.m5.xlarge, and their volumes."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from sustainable_mlops.footprint import find_alternatives
from tests.cases import check_cases
from tests.footprint.support import (
    M5_NOTEBOOK_W,
    PUE,
    REGION,
    compute_volume_kwh,
    get_kwh,
    join_reasons,
    list_part_names,
    make_footprint,
    make_usage,
)
from tests.plan.plan_builder import build_change

NOTEBOOK = "aws_sagemaker_notebook_instance.n"
LIFECYCLE = "aws_sagemaker_notebook_instance_lifecycle_configuration.l"
AUTOSTOP = "#!/bin/bash\n(crontab -l; echo '*/5 * * * * python autostop.py --time 3600') | crontab -\n"


def notebook(**more: Any) -> dict[str, Any]:
    return {"instance_type": "ml.m5.xlarge", "region": REGION, "volume_size": 0, **more}


def compute_app_kwh(on: float) -> float:
    return M5_NOTEBOOK_W * on / 1000 * PUE


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_notebook_without_a_lifecycle_is_on_all_month(nothing: str | None) -> None:
    """The provider stores "" for none; a change to null is no change."""
    values = notebook(lifecycle_config_name=nothing)
    result = make_footprint(build_change(NOTEBOOK, values, before=notebook(lifecycle_config_name="")))
    assert get_kwh(result) == pytest.approx(compute_app_kwh(730))
    assert get_kwh(result, "delta") == 0


def encode(script: str) -> str:
    return b64encode(script.encode()).decode()


@check_cases(
    ("scripts", "on"),
    [
        ({"on_start": encode(AUTOSTOP)}, 160),
        ({"on_create": encode("pip install x"), "on_start": encode("./on-idle.sh")}, 160),
        ({"on_start": encode("pip install pandas")}, 730),
        ({"on_start": "pip install pandas"}, 730),
        ({}, 730),
    ],
)
def test_a_lifecycle_script_with_an_idle_stop_reduces_the_hours(scripts: dict[str, str], on: float) -> None:
    script = build_change(LIFECYCLE, {"name": "l", **scripts})
    result = make_footprint(build_change(NOTEBOOK, notebook(lifecycle_config_name="l")), script)
    assert get_kwh(result) == pytest.approx(compute_app_kwh(on))
    assert "lifecycle" not in join_reasons(result)


def test_a_lifecycle_script_outside_the_plan_is_assumed_to_stop_the_notebook() -> None:
    result = make_footprint(build_change(NOTEBOOK, notebook(lifecycle_config_name="elsewhere")))
    assert get_kwh(result) == pytest.approx(compute_app_kwh(160))
    assert "its lifecycle script is not in this plan" in join_reasons(result)


def test_a_volume_exists_while_its_notebook_is_off() -> None:
    result = make_footprint(build_change(NOTEBOOK, notebook(volume_size=16_384, lifecycle_config_name="elsewhere")))
    assert get_kwh(result) == pytest.approx(compute_app_kwh(160) + compute_volume_kwh(16_384))
    default = make_footprint(build_change(NOTEBOOK, notebook(volume_size=None)))
    assert get_kwh(default) == pytest.approx(compute_app_kwh(730) + compute_volume_kwh(5))
    later = make_footprint(build_change(NOTEBOOK, notebook(), unknown={"volume_size": True}))
    assert "size of its volume is not known until apply" in join_reasons(later)


def test_a_volume_costs_money_while_its_notebook_is_off() -> None:
    result = make_footprint(build_change(NOTEBOOK, notebook(volume_size=100, lifecycle_config_name="elsewhere")))
    cost = result.after.get("cost")
    assert cost is not None
    assert cost.central == pytest.approx(0.23 * 160 + 0.14 * 100)


def test_an_idle_stop_does_not_save_the_volume() -> None:
    result = make_footprint(build_change(NOTEBOOK, notebook(volume_size=16_384)))
    saved = next(one.saved_kg for one in find_alternatives(result) if one.kind == "idle stop")
    embodied = ((600 + 2 * 50) * 4 / 96 + 16 * 1.388) / 52_560
    assert saved.central == pytest.approx((730 - 160) * (M5_NOTEBOOK_W * PUE / 1000 * 0.418 + embodied), rel=1e-3)


def test_the_gpu_of_a_notebook_idles_without_a_model() -> None:
    # EPYC 7R32: 2 x 280 W / 192 vCPU x 4 = 11.667 W of TDP; 16 GB; an A10G of 17 W that waits and 200 W that works
    idle, busy = 35 / 3 * (0.108 + 0.1) + 16 * 0.042 + 17 + 30, 35 / 3 * (0.553 + 0.1) + 16 * 0.11 + 200 + 30
    result = make_footprint(build_change(NOTEBOOK, notebook(instance_type="ml.g5.xlarge")))
    assert get_kwh(result) == pytest.approx((idle * 0.95 + busy * 0.05) * 0.73 * PUE)


def domain(**settings: Any) -> dict[str, Any]:
    return {"id": "d-1", "region": REGION, "default_user_settings": [settings]}


ENABLED = [{"app_lifecycle_management": [{"idle_settings": [{"lifecycle_management": "ENABLED"}]}]}]


@check_cases(
    ("settings", "app_type", "on"),
    [
        ("jupyter_lab_app_settings", "JupyterLab", 160),
        ("jupyter_lab_app_settings", "CodeEditor", 730),
        ("jupyter_lab_app_settings", "KernelGateway", 730),
        ("jupyter_lab_app_settings", "JupyterServer", 730),
        ("code_editor_app_settings", "CodeEditor", 160),
        ("code_editor_app_settings", "JupyterLab", 730),
    ],
)
def test_a_domain_stops_idle_apps_of_its_configured_type(settings: str, app_type: str, on: float) -> None:
    app = {
        "domain_id": "d-1",
        "app_type": app_type,
        "region": REGION,
        "resource_spec": [{"instance_type": "ml.m5.xlarge"}],
    }
    result = make_footprint(
        build_change("aws_sagemaker_domain.d", domain(**{settings: ENABLED})), build_change("aws_sagemaker_app.a", app)
    )
    assert get_kwh(result) == pytest.approx(compute_app_kwh(on))


LAB = [{"default_resource_spec": [{"instance_type": "ml.m5.xlarge"}]}]


SIZED = [{"default_ebs_storage_settings": [{"default_ebs_volume_size_in_gb": 200}]}]


@pytest.mark.parametrize(("storage", "gb"), [(SIZED, 200), ([], 5)])
def test_each_user_of_a_domain_has_an_app_and_a_volume(tmp_path: Path, storage: list[Any], gb: float) -> None:
    values = domain(jupyter_lab_app_settings=LAB, space_storage_settings=storage)
    used = make_usage(tmp_path, {"aws_sagemaker_domain.d": {"hours_per_month": 100, "instances": 20}})
    result = make_footprint(build_change("aws_sagemaker_domain.d", values), used=used)
    assert get_kwh(result) == pytest.approx(20 * (compute_app_kwh(100) + compute_volume_kwh(gb)))


def space(app_type: str = "JupyterLab", gb: float | None = None) -> dict[str, Any]:
    storage = [] if gb is None else [{"ebs_storage_settings": [{"ebs_volume_size_in_gb": gb}]}]
    settings = {"app_type": app_type, "jupyter_lab_app_settings": LAB, "space_storage_settings": storage}
    return {"region": REGION, "space_name": "s", "domain_id": "d-1", "space_settings": [settings]}


def test_a_space_has_a_volume_without_usage(tmp_path: Path) -> None:
    address = "aws_sagemaker_space.s"
    used = make_usage(tmp_path, {address: {"hours_per_month": 10}})
    assert get_kwh(make_footprint(build_change(address, space(gb=1000)), used=used)) == pytest.approx(
        compute_app_kwh(10) + compute_volume_kwh(1000)
    )
    unused = make_footprint(build_change(address, space(gb=1000)))
    assert get_kwh(unused) == pytest.approx(compute_volume_kwh(1000))
    assert "set hours_per_month" in join_reasons(unused)
    assert get_kwh(make_footprint(build_change(address, space()))) == pytest.approx(compute_volume_kwh(5))
    assert list_part_names(make_footprint(build_change(address, space("KernelGateway")))) == ["apps"]
