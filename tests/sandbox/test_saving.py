"""What is kept while others still change it: all of it, or what was kept before."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sagemaker_sandbox import moto_state
from sagemaker_sandbox.clock import Clock
from sagemaker_sandbox.context import SandboxContext
from sagemaker_sandbox.persistence import StateFolder
from sagemaker_sandbox.plane.control_plane import ControlPlane
from sagemaker_sandbox.request_gate import RequestGate

ACCOUNT = "123456789012"


def test_a_service_that_changes_while_it_is_read_costs_nothing_that_was_kept(
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
    kept = file.read_bytes()

    def content(*_: Any) -> bytes:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(moto_state, "content", content)
    with gate.enter_shared(), pytest.raises(RuntimeError, match="changed size"):  # as one does who waits for a message
        state.stop_saving(application)
    assert file.read_bytes() == kept
    state.stop_saving(application)  # nobody is inside: it cannot be kept at all
    assert "the state of s3 is not kept" in capfd.readouterr().err
