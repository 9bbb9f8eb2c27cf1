"""The steps of docs/own_data.md with a CSV file produce batch predictions and an endpoint."""

from pathlib import Path

import numpy as np
import pytest

from tests.clone import Reader
from tests.docs.blocks import shell_blocks


@pytest.mark.apply
def test_an_own_csv_file_is_used_for_training_and_prediction(tmp_path: Path, aws_cli: Path) -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import roc_auc_score

    page = shell_blocks("page")
    assert {block.file for block in page} == {"docs/own_data.md"}
    reader = Reader(tmp_path / "clone", aws_cli)
    try:
        output = reader.paste(*(command for block in page for command in block.commands))
    finally:
        reader.paste("smlops sandbox stop")
    assert "model-package/smlops-dev-churn/1" in output
    by_batch, by_endpoint = (
        np.loadtxt(reader.folder / "out" / file) for file in ("predictions/ask.csv.out", "answer.csv")
    )
    assert by_batch.tolist() == by_endpoint.tolist()
    assert roc_auc_score(load_breast_cancer().target[450:], by_batch) > 0.98
