"""Generator of `managed_policies.csv`: the statements of the AWS managed policies that plans attach most.

`python -m tools.derive_managed_policies` rewrites the file. It needs moto, which has the documents of all policies as
`iam:GetPolicyVersion` returns them. Add a policy to `_NAMES` to ship it. Policies that read a whole account, such as
ReadOnlyAccess, are left out: their text is long, and their name is clear.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from sustainable_mlops.catalogue.tables import CATALOGUE_DIRECTORY

_NAMES = """
AdministratorAccess IAMFullAccess IAMReadOnlyAccess PowerUserAccess

AWSLambdaBasicExecutionRole AWSLambdaDynamoDBExecutionRole AWSLambdaENIManagementAccess AWSLambdaExecute
AWSLambdaKinesisExecutionRole AWSLambdaMSKExecutionRole AWSLambdaRole AWSLambdaSQSQueueExecutionRole
AWSLambdaVPCAccessExecutionRole AWSLambda_FullAccess AWSLambda_ReadOnlyAccess
CloudWatchLambdaApplicationSignalsExecutionRolePolicy CloudWatchLambdaInsightsExecutionRolePolicy

AmazonBedrockFullAccess AmazonBedrockLimitedAccess AmazonBedrockReadOnly AmazonSageMakerCanvasBedrockAccess
AmazonSageMakerClusterInstanceRolePolicy AmazonSageMakerFeatureStoreAccess AmazonSageMakerFullAccess
AmazonSageMakerGroundTruthExecution AmazonSageMakerModelGovernanceUseAccess AmazonSageMakerModelRegistryFullAccess
AmazonSageMakerPipelinesIntegrations AmazonSageMakerReadOnly

AmazonAthenaFullAccess AmazonDynamoDBFullAccess AmazonDynamoDBFullAccess_v2 AmazonDynamoDBReadOnlyAccess
AmazonEMRServicePolicy_v2 AmazonElastiCacheFullAccess AmazonElasticFileSystemClientFullAccess
AmazonElasticFileSystemClientReadWriteAccess AmazonElasticFileSystemFullAccess AmazonElasticMapReduceRole
AmazonElasticMapReduceforEC2Role AmazonFSxFullAccess AmazonKinesisFirehoseFullAccess AmazonKinesisFullAccess
AmazonKinesisReadOnlyAccess AmazonMSKFullAccess AmazonOpenSearchServiceCognitoAccess
AmazonOpenSearchServiceFullAccess AmazonRDSDataFullAccess AmazonRDSFullAccess AmazonRDSReadOnlyAccess
AmazonRedshiftFullAccess AmazonS3FullAccess AmazonS3ReadOnlyAccess AWSBackupServiceRolePolicyForBackup
AWSBackupServiceRolePolicyForRestores AWSBackupServiceRolePolicyForS3Backup AWSBackupServiceRolePolicyForS3Restore
AWSDataLifecycleManagerServiceRole AWSGlueConsoleFullAccess AWSGlueServiceRole AWSLakeFormationDataAdmin
AmazonDMSCloudWatchLogsRole AmazonDMSVPCManagementRole AmazonRDSEnhancedMonitoringRole

AmazonEBSCSIDriverPolicy AmazonEC2ContainerRegistryFullAccess AmazonEC2ContainerRegistryPowerUser
AmazonEC2ContainerRegistryPullOnly AmazonEC2ContainerRegistryReadOnly AmazonEC2ContainerServiceEventsRole
AmazonEC2ContainerServiceforEC2Role AmazonEC2FullAccess AmazonEC2ReadOnlyAccess AmazonEC2SpotFleetTaggingRole
AmazonECSInfrastructureRolePolicyForVolumes AmazonECSTaskExecutionRolePolicy AmazonECS_FullAccess
AmazonEFSCSIDriverPolicy AmazonEKSBlockStoragePolicy AmazonEKSClusterPolicy AmazonEKSComputePolicy
AmazonEKSFargatePodExecutionRolePolicy AmazonEKSLoadBalancingPolicy AmazonEKSNetworkingPolicy AmazonEKSServicePolicy
AmazonEKSVPCResourceController AmazonEKSWorkerNodeMinimalPolicy AmazonEKSWorkerNodePolicy AmazonEKS_CNI_Policy
AmazonVPCFullAccess AWSAppRunnerServicePolicyForECRAccess AWSBatchServiceRole AutoScalingNotificationAccessRole
ElasticLoadBalancingFullAccess ElasticLoadBalancingReadOnly

AmazonAPIGatewayPushToCloudWatchLogs AmazonCognitoPowerUser AmazonEventBridgeFullAccess
AmazonEventBridgeSchedulerFullAccess AmazonRoute53FullAccess AmazonRoute53ReadOnlyAccess AmazonSESFullAccess
AmazonSNSFullAccess AmazonSNSReadOnlyAccess AmazonSQSFullAccess AmazonSQSReadOnlyAccess
AWSAppSyncPushToCloudWatchLogs AWSCloudFormationFullAccess AWSCloudFormationReadOnlyAccess AWSCodeBuildDeveloperAccess
AWSCodeDeployRole AWSCodeDeployRoleForECS AWSCodeDeployRoleForLambda AWSCodePipeline_FullAccess
AWSStepFunctionsFullAccess AWSStepFunctionsReadOnlyAccess AWSTransferLoggingAccess CloudFrontFullAccess

AmazonEC2RoleforSSM AmazonSSMAutomationRole AmazonSSMDirectoryServiceAccess AmazonSSMFullAccess
AmazonSSMManagedInstanceCore AmazonSSMPatchAssociation AmazonSSMReadOnlyAccess AWSKeyManagementServicePowerUser
AWSXRayDaemonWriteAccess AWSXrayFullAccess AWSXrayReadOnlyAccess AWSXrayWriteOnlyAccess CloudWatchAgentAdminPolicy
CloudWatchAgentServerPolicy CloudWatchEventsFullAccess CloudWatchFullAccess CloudWatchFullAccessV2
CloudWatchLogsFullAccess CloudWatchLogsReadOnlyAccess CloudWatchReadOnlyAccess CloudWatchSyntheticsFullAccess
SecretsManagerReadWrite
"""


def make_managed_policies() -> Iterator[tuple[str, ...]]:
    """Yield the rows of `managed_policies.csv`, the header first."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies = json.loads(aws_managed_policies_data)
    yield "policy", "version", "updated", "document"
    for name in sorted(_NAMES.split()):
        policy = policies[name]
        document = {"Version": policy["Document"]["Version"], "Statement": list(_list_statements(policy["Document"]))}
        text = json.dumps(document, separators=(",", ":"))
        yield policy["Path"][1:] + name, policy["DefaultVersionId"], policy["UpdateDate"][:10], text


def _list_statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the statements without their IDs, which grant nothing."""
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        yield {name: value for name, value in statement.items() if name != "Sid"}


def write_table() -> str:
    """Return the text of `managed_policies.csv`, in which documents have quotation marks and commas."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(make_managed_policies())
    return text.getvalue()


if __name__ == "__main__":
    (CATALOGUE_DIRECTORY / "managed_policies.csv").write_text(write_table(), encoding="utf-8")
