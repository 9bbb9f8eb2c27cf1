"""Resource types without data that a second apply would not restore.

A type that is neither here nor in the table of stores may hold data, so its deletion is reported.
"""

#: Suffixes of types that only configure, connect, name, monitor or route.
_SUFFIXES = """
accepter access access_entry access_point account_password_policy acl action addon alarm alias analyzer api_key app
approval assignment association attachment attribute attributes authorization authorizer binding block branch canary
certificate check client cluster_instance config configuration confirmation connection connector consumer contact
control controls crawler dashboard default defaults definition delegation delivery deployment destination dnssec
endpoint entry exclusive fast_snapshot_restore feature features filter forwarder function gateway grant group
iam_binding iam_member identity insights integration interface inventory job key_pair launch_template layer limit link
list listener location logging mapping membership method metric metric_stream monitor mount_target named_query
namespace notification notifications option options override pair peering permission permissions policies policy
preferences prefix_list preset profile propagation protection provider proxy query_log quota record recorder reference
registration reservation resolver response role roles rotation route router rule rules ruleset schedule schema
selection server_side_encryption service_account set setting settings share source specification stage state status
stop subnet subscription suppression tag tags target task template topic tracker trigger type url validation validator
verification webhook window workflow workgroup
"""
#: Prefixes of type families without data, whose members the suffixes do not cover.
_PREFIXES = """
archive_ aws_athena_prepared aws_backup_framework aws_backup_report aws_backup_restore aws_bcmdataexports
aws_cloudwatch_log_anomaly aws_codeconnections aws_codestarconnections aws_cognito_identity_pool
aws_cognito_resource_server aws_cognito_user_pool_domain aws_cognito_user_pool_ui aws_emr_studio
aws_glue_catalog_table_optimizer aws_glue_classifier aws_glue_partition aws_grafana_workspace_service
aws_lakeformation aws_organizations_delegated aws_quicksight aws_resourceexplorer2 aws_rolesanywhere aws_schemas
aws_ssmquicksetup aws_alb aws_api_gateway aws_apigatewayv2 aws_appautoscaling aws_appconfig aws_appmesh aws_apprunner
aws_appsync aws_autoscaling aws_batch aws_bedrock_guardrail aws_bedrockagent_agent aws_budgets aws_ce_ aws_cloudfront
aws_cloudwatch_event aws_codebuild aws_codedeploy aws_codepipeline aws_config_ aws_datasync aws_default_ aws_dms_
aws_bedrock_provisioned aws_dx_ aws_ebs_default aws_ec2_ aws_ecs_ aws_eip aws_elb aws_flow_log aws_globalaccelerator
aws_guardduty aws_iam_
aws_imagebuilder aws_inspector aws_internet_gateway aws_kinesis_firehose aws_lambda_ aws_launch_ aws_lb aws_macie2
aws_nat_ aws_network aws_oam_ aws_pipes_ aws_placement aws_ram_ aws_resourcegroups aws_route_table
aws_s3control_access aws_sagemaker_code_repository aws_sagemaker_device aws_sagemaker_endpoint
aws_sagemaker_human_task_ui aws_sagemaker_model aws_sagemaker_work aws_scheduler_ aws_security_group aws_securityhub
aws_service_discovery aws_servicecatalog aws_sfn_ aws_shield aws_sns_ aws_ssm_ aws_ssoadmin aws_subnet aws_transfer_
aws_redshiftdata aws_vpc aws_waf aws_workspaces_directory aws_bedrock_provisioned aws_xray
local_ null_ random_ terraform_data time_ tls_cert tls_locally tls_self
"""
_STARTS = tuple(_PREFIXES.split())
_ENDINGS = tuple(f"_{suffix}" for suffix in _SUFFIXES.split())


def is_stateless(type_: str) -> bool:
    """Return whether the configuration alone restores a resource of this type.

    The suffixes apply to AWS providers only: a role, job or deployment of another provider may hold data. Types that
    start with `awscc_` have names by service, so only the suffixes apply to them.
    """
    return type_.startswith(_STARTS) or (type_.startswith(("aws_", "awscc_")) and type_.endswith(_ENDINGS))
