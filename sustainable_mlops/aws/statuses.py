"""Statuses of SageMaker resources, grouped by their meaning. Source: the enumerations of the SageMaker API."""

from typing import NamedTuple


class Statuses(NamedTuple):
    """The values of one enumeration. A test compares them with botocore, so that a new value is not overlooked."""

    running: tuple[str, ...] = ()
    """Values that change without a request."""
    succeeded: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    """Values after a request to delete the resource."""

    @property
    def ended(self) -> tuple[str, ...]:
        """Final values of a resource that still exists."""
        return self.succeeded + self.failed + self.stopped

    @property
    def final(self) -> tuple[str, ...]:
        """Final values, including those of deleted resources."""
        return self.ended + self.deleted


_JOB = Statuses(("InProgress", "Stopping"), ("Completed",), ("Failed",), ("Stopped",))
#: Statuses by the name of their enumeration.
STATUSES = {
    "AppStatus": Statuses(("Pending",), ("InService",), ("Failed",), (), ("Deleting", "Deleted")),
    "EndpointStatus": Statuses(
        ("Creating", "Updating", "SystemUpdating", "RollingBack"),
        ("InService",),
        ("Failed", "OutOfService", "UpdateRollbackFailed"),
        (),
        ("Deleting",),
    ),
    "FeatureGroupStatus": Statuses(("Creating",), ("Created",), ("CreateFailed",), (), ("Deleting", "DeleteFailed")),
    "HyperParameterTuningJobStatus": _JOB._replace(deleted=("Deleting", "DeleteFailed")),
    "LastUpdateStatusValue": Statuses(("InProgress",), ("Successful",), ("Failed",)),
    "ModelPackageStatus": Statuses(("Pending", "InProgress"), ("Completed",), ("Failed",), (), ("Deleting",)),
    "PipelineExecutionStatus": Statuses(
        ("Executing", "Stopping"), ("Succeeded",), ("Failed", "CompletedWithFailures"), ("Stopped",)
    ),
    "PipelineStatus": Statuses((), ("Active",), deleted=("Deleting",)),
    "ProcessingJobStatus": _JOB,
    "RecommendationJobStatus": Statuses(
        ("PENDING", "IN_PROGRESS", "STOPPING"), ("COMPLETED",), ("FAILED",), ("STOPPED",), ("DELETING", "DELETED")
    ),
    "StepStatus": Statuses(("Starting", "Executing", "Stopping"), ("Succeeded",), ("Failed",), ("Stopped",)),
    "TrackingServerStatus": Statuses(
        ("Creating", "Updating", "Stopping", "Starting", "MaintenanceInProgress"),
        ("Created", "Updated", "Started", "MaintenanceComplete"),
        ("CreateFailed", "UpdateFailed", "StopFailed", "StartFailed", "MaintenanceFailed"),
        ("Stopped",),
        ("Deleting", "DeleteFailed"),
    ),
    "TrainingJobStatus": _JOB._replace(deleted=("Deleting",)),
    "TransformJobStatus": _JOB,
}
#: Final statuses of training, processing, transform and tuning jobs.
FINAL_JOB_STATUSES = STATUSES["HyperParameterTuningJobStatus"].final
