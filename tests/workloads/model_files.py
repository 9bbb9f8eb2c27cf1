"""Files of a trained model."""

from pathlib import Path


def read_model_files(folder: Path) -> dict[str, bytes]:
    """Return the files of model.tar.gz."""
    model = folder / "model"
    files = (path for path in model.rglob("*") if path.is_file() and path.suffix != ".pyc")  # imports write bytecode
    return {str(path.relative_to(model)): path.read_bytes() for path in files}
