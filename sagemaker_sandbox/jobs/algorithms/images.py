"""Built-in algorithms by the address of their image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagemaker_sandbox.base.errors import NotEmulatedError
from sustainable_mlops.catalogue.images import IMAGE_ADDRESS, is_algorithm_of_aws

#: Folder that the containers of algorithms have on their path, and the package in it.
MODULE_FOLDER, _PACKAGE = Path(__file__).parent, "built_in_algorithms"

#: Algorithms that the sandbox runs, by repository, with the prefix of their modules.
_IMPLEMENTED = {
    "xgboost": "xgboost",
    "sagemaker-xgboost": "xgboost",
    "linear-learner": "linear_learner",
    "kmeans": "kmeans",
}

#: Substitutes for the algorithms that the sandbox does not run, by repository.
_SUBSTITUTES = {
    "blazingtext": "a scikit-learn script with TfidfVectorizer and LogisticRegression, or a gensim script",
    "factorization-machines": "linear-learner",
    "forecasting-deepar": "xgboost on lagged values",
    "image-classification": "a PyTorch script",
    "ipinsights": "a scikit-learn script with IsolationForest",
    "knn": "a scikit-learn script with KNeighborsClassifier or KNeighborsRegressor",
    "lda": "a scikit-learn script with LatentDirichletAllocation",
    "ntm": "a scikit-learn script with LatentDirichletAllocation",
    "object-detection": "a PyTorch script",
    "object2vec": "a PyTorch script",
    "pca": "a scikit-learn script with PCA",
    "randomcutforest": "a scikit-learn script with IsolationForest",
    "semantic-segmentation": "a PyTorch script",
    "seq2seq": "a PyTorch script",
}


@dataclass(frozen=True)
class Algorithm:
    """Built-in algorithm that the sandbox runs: its repository, the tag of its image, and its modules."""

    repository: str
    tag: str

    @property
    def training_module(self) -> str:
        """Module that trains."""
        return f"{_PACKAGE}.{_IMPLEMENTED[self.repository]}_training"

    @property
    def serving_module(self) -> str:
        """Module with the inference handlers."""
        return f"{_PACKAGE}.{_IMPLEMENTED[self.repository]}_serving"

    @property
    def metric_definitions(self) -> list[dict[str, str]]:
        """Metrics that SageMaker reads from the log of this algorithm."""
        return [{"Name": name, "Regex": regex} for name, regex in _METRICS[_IMPLEMENTED[self.repository]].items()]


#: Metrics of XGBoost. Source: XGBoost tuning in the SageMaker developer guide.
_XGBOOST_METRICS = [
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "error",
    "f1",
    "f1_binary",
    "f1_macro",
    "gamma-deviance",
    "gamma-nloglik",
    "logloss",
    "mae",
    "map",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "ndcg",
    "poisson-nloglik",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
]
#: Metrics of the linear learner, with the name in its log. Source: linear learner tuning in the developer guide.
_LINEAR_METRICS = [
    "absolute_loss",
    "binary_classification_accuracy",
    "binary_f_beta",
    "dcg",
    "macro_f_beta",
    "macro_precision",
    "macro_recall",
    "mse",
    "multiclass_accuracy",
    "multiclass_top_k_accuracy",
    "objective_loss",
    "precision",
    "recall",
    "rmse",
    "roc_auc_score",
]

#: Regular expressions by metric, by algorithm. Names are those of the developer guide.
_METRICS: Mapping[str, Mapping[str, str]] = {
    "xgboost": {
        f"{channel}:{metric}": rf".*\[[0-9]+\].*#011{channel}-{metric}:(\S+)"
        for channel in ("train", "validation")
        for metric in _XGBOOST_METRICS
    },
    "linear_learner": {
        f"{channel}:{metric}": rf"#quality_metric: host=\S+, {channel} {metric} <\S+>=(\S+)"
        for channel in ("train", "validation", "test")
        for metric in _LINEAR_METRICS
    },
    "kmeans": {f"test:{metric}": rf"#quality_metric: host=\S+, test {metric} <\S+>=(\S+)" for metric in ("msd", "ssd")},
}


def find_algorithm(image: str) -> Algorithm | None:
    """Return the built-in algorithm of an image, or None if the sandbox runs none for it."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    if parts is None or parts["repository"] not in _IMPLEMENTED:
        return None
    if not is_algorithm_of_aws(parts["repository"], parts["region"], parts["account"]):
        return None
    return Algorithm(parts["repository"], parts["tag"] or "latest")


def check_algorithm(image: str) -> None:
    """Raise NotEmulatedError, which names a substitute, for a built-in algorithm that the sandbox does not run."""
    parts = IMAGE_ADDRESS.fullmatch(image)
    if parts is None or parts["repository"] not in _SUBSTITUTES:
        return
    repository = parts["repository"]
    if is_algorithm_of_aws(repository, parts["region"], parts["account"]):
        raise NotEmulatedError(
            f"CreateTrainingJob with the built-in algorithm {repository}",
            f"Use {_SUBSTITUTES[repository]}, or an AWS account.",
        )


def list_metric_definitions(specification: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """Return the metric definitions of an AlgorithmSpecification, with those of its built-in algorithm."""
    own: list[Mapping[str, str]] = list(specification.get("MetricDefinitions", ()))
    algorithm = find_algorithm(specification.get("TrainingImage", ""))
    names = {metric["Name"] for metric in own}
    return [
        *own,
        *(metric for metric in (algorithm.metric_definitions if algorithm else ()) if metric["Name"] not in names),
    ]
