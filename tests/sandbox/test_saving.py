"""A save is complete, or the last state remains."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sagemaker_sandbox.base.clock import Clock
from sagemaker_sandbox.base.context import SandboxContext
from sagemaker_sandbox.base.request_gate import RequestGate
from sagemaker_sandbox.control_plane.control_plane import ControlPlane
from sagemaker_sandbox.server import moto_state
from sagemaker_sandbox.server.persistence import StateFolder

ACCOUNT = "123456789012"


@pytest.mark.slow
def test_a_service_that_changes_during_a_save_does_not_damage_the_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    plane, gate = (
        ControlPlane(SandboxContext(client=lambda *_: None, customer_client=lambda *_: None, folder=tmp_path)),
        RequestGate(),
    )
    application: Any = SimpleNamespace(
        gate=gate, sagemaker=plane, list_moto_services=lambda: ["s3"], change_counts=(0, 0), clock=Clock()
    )
    state, file = StateFolder(tmp_path / "state", ACCOUNT), tmp_path / "state" / "state.pickle"
    state.stop_saving(application)
    saved = file.read_bytes()

    def fail(*_: Any) -> bytes:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(moto_state, "dump_service", fail)
    with (
        gate.enter_shared(),
        pytest.raises(RuntimeError, match="changed size"),
    ):  # like a request that waits for a message
        state.stop_saving(application)
    assert file.read_bytes() == saved
    state.stop_saving(application)  # without other requests, the service cannot be saved at all
    assert "the state of s3 is not saved" in capfd.readouterr().err
