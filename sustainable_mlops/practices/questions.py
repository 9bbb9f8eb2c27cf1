"""Questions of the custom lens: their IDs, their texts, and the practices that are their choices.

The AWS Well-Architected Tool keeps answers by ID when a lens is updated. Never change the ID of a pillar or question,
and never move a practice to another question.
"""

from typing import NamedTuple


class Question(NamedTuple):
    """A question of the lens. `rows` are the rows of the practices among which the reviewer chooses."""

    id: str
    title: str
    description: str
    rows: tuple[int, ...]


class Pillar(NamedTuple):
    """A pillar of the lens: one phase of the machine-learning lifecycle. `row` begins its section of the list."""

    id: str
    row: int
    questions: tuple[Question, ...]


PILLARS = (
    Pillar(
        "goals",
        1,
        (
            Question(
                "goals_measurement",
                "How do you measure the carbon emissions of your workload?",
                "Emissions that AWS reports for the account, and estimates for each run.",
                (1, 2),
            ),
            Question(
                "goals_selection",
                "How do you choose the Region, the model and the data sets?",
                "A clean grid, data that stays in its Region, and models and data sets that exist already.",
                (3, 4, 5, 6),
            ),
        ),
    ),
    Pillar(
        "data",
        7,
        (
            Question(
                "data_processing",
                "How do you process data without idle resources?",
                "Serverless orchestration, starts by events, and jobs and streams that follow the load.",
                (7, 8, 9, 10, 11, 24),
            ),
            Question(
                "data_features",
                "How do you store and share features?",
                "Feature groups of Amazon SageMaker Feature Store: computed once, expired, compacted and encrypted.",
                (12, 13, 14, 15, 16),
            ),
            Question(
                "data_storage",
                "How do you match storage to the use of the data?",
                "Storage classes, lifecycle rules, disks of a suitable size, and a catalog of data sets.",
                (17, 18, 19, 20, 21, 22, 23),
            ),
        ),
    ),
    Pillar(
        "training",
        25,
        (
            Question(
                "training_effort",
                "How do you limit the effort of training and tuning?",
                "Acceptance criteria, time limits, early stopping, efficient search and efficient algorithms.",
                (25, 26, 27, 28, 29, 30, 31),
            ),
            Question(
                "training_compute",
                "How do you choose compute for training?",
                "Accelerators, spot capacity, warm pools, compilers and distributed training.",
                (32, 33, 34, 38, 39),
            ),
            Question(
                "training_utilization",
                "How do you stop jobs and notebooks that do no useful work?",
                "Jobs of low utilization, jobs that do not converge, and idle notebooks and apps.",
                (35, 36, 37, 46),
            ),
            Question(
                "training_reuse",
                "How do you avoid repeated work?",
                "Experiments, runs and evaluations that are recorded, versioned and reused.",
                (40, 41, 42, 47),
            ),
            Question(
                "training_artifacts",
                "How do you remove artifacts that nobody needs?",
                "Retention of logs, container images and training artifacts.",
                (43, 44, 45),
            ),
        ),
    ),
    Pillar(
        "deployment",
        48,
        (
            Question(
                "deployment_release",
                "How do you approve and release a model?",
                "Approval, delivery, model cards, and deployments that roll back.",
                (48, 49, 50, 66),
            ),
            Question(
                "deployment_inference",
                "How do you choose the kind of inference?",
                "Real-time, serverless, asynchronous or batch inference, or a device at the edge.",
                (51, 52, 54, 56, 68),
            ),
            Question(
                "deployment_scaling",
                "How does hosting capacity follow demand?",
                "Scaling, scaling to zero, and off-hours outside production.",
                (53, 55, 57, 58, 67),
            ),
            Question(
                "deployment_hardware",
                "How do you choose hardware for inference?",
                "Efficient silicon, models compiled and quantized for it, and load tests.",
                (59, 60, 61, 62, 63),
            ),
            Question(
                "deployment_sharing",
                "How do models share endpoints?",
                "Several models or several containers behind one endpoint.",
                (64, 65),
            ),
        ),
    ),
    Pillar(
        "monitoring",
        69,
        (
            Question(
                "monitoring_efficiency",
                "How do you measure efficiency and find idle endpoints?",
                "Efficiency in figures, alarms on low utilization, and detection of idle endpoints.",
                (69, 71, 72),
            ),
            Question(
                "monitoring_health",
                "How do you detect errors and drift, and when do you retrain?",
                "Alarms on errors, detection of drift, and retraining on evidence.",
                (70, 73, 74, 75),
            ),
            Question(
                "monitoring_governance",
                "How do you control access, cost and ownership?",
                "Least privilege, encryption, budgets and tags.",
                (76, 77, 78),
            ),
        ),
    ),
)
