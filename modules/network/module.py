"""Access to AWS services from private subnets, without a NAT gateway and without the internet."""

from typing import Any

from cdktn_provider_aws.security_group import SecurityGroup
from cdktn_provider_aws.vpc_endpoint import VpcEndpoint
from cdktn_provider_aws.vpc_security_group_egress_rule import VpcSecurityGroupEgressRule
from cdktn_provider_aws.vpc_security_group_ingress_rule import VpcSecurityGroupIngressRule

from modules.iam_statements import equals
from modules.location_check import check_location
from modules.network.inputs import Inputs
from modules.network.services import FULL_NAME, SERVICES_BY_PURPOSE
from modules.policies import encode_policy
from sustainable_mlops.authoring.expressions import (
    can,
    coalesce,
    concat,
    each_of,
    flatten,
    is_omitted,
    length,
    list_of,
    map_of,
    match,
    merge,
    one_or_null,
    set_of,
    when,
)
from sustainable_mlops.authoring.resources import Module, Output, Outputs

_HTTPS: dict[str, Any] = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443}
_EVERYONE = [{"type": "*", "identifiers": ["*"]}]


class NetworkModule(Module[Inputs]):
    """VPC endpoints and security groups for SageMaker in private subnets."""

    def build(self, var: Inputs) -> Outputs:
        workloads = self.add(
            SecurityGroup,
            "workloads",
            why="SageMaker may keep network interfaces in this group for some minutes after a job or an endpoint, so "
            "its deletion waits.",
            skips={"CKV2_AWS_5": "jobs, endpoints and Studio outside this module use the group"},
            name=f"{var.name_prefix}-sagemaker",
            description="Jobs, endpoints and Studio of SageMaker.",
            vpc_id=var.vpc_id,
            tags=var.tags,
            timeouts={"delete": "45m"},
            lifecycle={"create_before_destroy": True},
        )
        endpoints = self.add(
            SecurityGroup,
            "endpoints",
            why="Admits the jobs and endpoints of the other group, and further clients.",
            name=f"{var.name_prefix}-endpoints",
            description="Interface endpoints of AWS services.",
            vpc_id=var.vpc_id,
            tags=var.tags,
            notes={"lifecycle": "AWS refuses to delete a group that an endpoint uses."},
            lifecycle={"create_before_destroy": True},
        )
        s3 = self._add_gateway(var)
        interfaces = self._add_interfaces(var, endpoints)
        self._add_rules(var, workloads, endpoints, s3)
        check_location(self)
        return {
            "endpoint_ids": Output(
                merge(*(map_of(endpoints, lambda endpoint: endpoint.id) for endpoints in (s3, interfaces))),
                "VPC endpoints by service, for conditions on aws:SourceVpce.",
            ),
            "endpoints_security_group_id": Output(endpoints.id, "Security group of the interface endpoints."),
            "security_group_id": Output(workloads.id, "Security group of jobs, endpoints and Studio."),
            "vpc_config": Output(
                {"subnets": var.subnet_ids, "security_group_ids": [workloads.id]},
                "Subnets and security groups for jobs and endpoints.",
            ),
        }

    def _add_gateway(self, var: Inputs) -> Any:
        """Add the gateway endpoint for S3, unless there is one."""
        nothing: list[str] = []
        own = equals("aws:PrincipalAccount", var.account_id)
        gateway = each_of(set_of(when(is_omitted(var.existing_s3_prefix_list_id), ["s3"], nothing)))
        accounts = concat([var.account_id], var.bucket_account_ids)
        read = list_of(
            when(length(var.readable_bucket_arns) > 0, ["any"], nothing),
            lambda _: {
                "Sid": "ReadOtherBuckets",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": flatten(list_of(var.readable_bucket_arns, lambda arn: [arn, f"{arn}/*"])),
            },
        )
        return self.add(
            VpcEndpoint,
            "gateway",
            why="Traffic to S3 neither leaves the network of AWS nor passes a NAT gateway. It is free of charge.",
            for_each=gateway,
            vpc_id=var.vpc_id,
            service_name=f"com.amazonaws.{var.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=var.route_table_ids,
            policy=encode_policy(
                {
                    "sid": "UseBucketsOfAccounts",
                    "principals": _EVERYONE,
                    "actions": ["s3:*"],
                    "resources": ["*"],
                    "condition": [own, {"test": "StringEquals", "variable": "aws:ResourceAccount", "values": accounts}],
                },
                {
                    "sid": "PullImageLayers",
                    "principals": _EVERYONE,
                    "actions": ["s3:GetObject"],
                    "resources": [f"arn:{var.partition}:s3:::prod-{var.region}-starport-layer-bucket/*"],
                },
                extra_elements=read,
            ),
            tags=merge(var.tags, {"Name": f"{var.name_prefix}-s3"}),
        )

    def _add_interfaces(self, var: Inputs, group: Any) -> Any:
        """Add the interface endpoints of the purposes and services."""
        nothing: list[str] = []
        services = {
            purpose: [name.format(region=var.region) for name in names]
            for purpose, names in SERVICES_BY_PURPOSE.items()
        }
        purposes = self.local("services_by_purpose", services, why="Services that each purpose needs.")
        service = each_of(
            set_of(concat(var.services, flatten(list_of(var.purposes, lambda purpose: purposes[purpose]))))
        )
        return self.add(
            VpcEndpoint,
            "this",
            why="Each interface endpoint is billed by the hour in each Availability Zone.",
            for_each=service,
            vpc_id=var.vpc_id,
            service_name=when(
                can(match(FULL_NAME, service.key)), service.key, f"com.amazonaws.{var.region}.{service.key}"
            ),
            vpc_endpoint_type="Interface",
            subnet_ids=coalesce(var.endpoint_subnet_ids, var.subnet_ids),
            security_group_ids=[group.id],
            private_dns_enabled=True,
            policy=encode_policy(
                {
                    "sid": "UseServiceAsThisAccount",
                    "principals": _EVERYONE,
                    "actions": ["*"],
                    "resources": ["*"],
                    "condition": [equals("aws:PrincipalAccount", var.account_id)],
                },
                # These calls have no principal yet.
                extra_elements=list_of(
                    when(service.key == "sts", ["any"], nothing),
                    lambda _: {
                        "Sid": "AssumeRolesOfThisAccount",
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"],
                        "Resource": f"arn:{var.partition}:iam::{var.account_id}:role/*",
                    },
                ),
            ),
            tags=merge(var.tags, {"Name": f"{var.name_prefix}-{service.key}"}),
        )

    def _add_rules(self, var: Inputs, workloads: Any, endpoints: Any, s3: Any) -> None:
        """Add the rules that allow HTTPS to the endpoints and to S3, and traffic between the instances of a job."""
        instances: dict[str, Any] = {
            "security_group_id": workloads.id,
            "referenced_security_group_id": workloads.id,
            "ip_protocol": "-1",
        }
        self.add(
            VpcSecurityGroupIngressRule,
            "between_instances",
            description="From the other instances of a job.",
            tags=var.tags,
            **instances,
        )
        self.add(
            VpcSecurityGroupEgressRule,
            "between_instances",
            description="To the other instances of a job.",
            tags=var.tags,
            **instances,
        )
        self.add(
            VpcSecurityGroupEgressRule,
            "endpoints",
            security_group_id=workloads.id,
            referenced_security_group_id=endpoints.id,
            description="To interface endpoints.",
            tags=var.tags,
            **_HTTPS,
        )
        self.add(
            VpcSecurityGroupEgressRule,
            "s3",
            security_group_id=workloads.id,
            prefix_list_id=coalesce(
                var.existing_s3_prefix_list_id, one_or_null(list_of(s3, lambda endpoint: endpoint.prefix_list_id))
            ),
            description="To S3.",
            tags=var.tags,
            **_HTTPS,
        )
        self.add(
            VpcSecurityGroupIngressRule,
            "workloads",
            security_group_id=endpoints.id,
            referenced_security_group_id=workloads.id,
            description="From jobs, endpoints and Studio.",
            tags=var.tags,
            **_HTTPS,
        )
        client = each_of(var.client_security_group_ids)
        self.add(
            VpcSecurityGroupIngressRule,
            "clients",
            for_each=client,
            security_group_id=endpoints.id,
            referenced_security_group_id=client.value,
            description=f"From {client.key}.",
            tags=var.tags,
            **_HTTPS,
        )
        address = each_of(set_of(var.client_cidr_blocks))
        self.add(
            VpcSecurityGroupIngressRule,
            "addresses",
            for_each=address,
            security_group_id=endpoints.id,
            cidr_ipv4=address.key,
            description=f"From {address.key}.",
            tags=var.tags,
            **_HTTPS,
        )
