"""End of the apps, spaces and users in a Studio domain that Terraform does not know and that block its deletion."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from sustainable_mlops.aws import Client, read_error_code, translate_aws_errors
from sustainable_mlops.base.errors import UserError

#: Longest wait for the apps of a domain and for its spaces, in seconds. SageMaker takes minutes.
LONGEST_SECONDS = 20 * 60.0
_PAUSE_SECONDS = 2.0
_ABSENT = "ResourceNotFound"
#: Codes of SageMaker for a resource in transition. The request is sent again.
_BUSY = ("ResourceInUse", "ConflictException")
#: Messages about apps that no longer run. Source: resource aws_sagemaker_app of the AWS provider.
_ENDED = ("has already been deleted", "previously failed and was automatically deleted")
#: Members that identify an app in requests.
APP_MEMBERS = ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName")


class DomainCleaner:
    """End of everything in one domain. `kept_users` are the profiles that Terraform destroys."""

    def __init__(
        self,
        sagemaker: Client,
        domain_id: str,
        kept_users: Collection[str] = (),
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._sagemaker = sagemaker
        self._domain_id = domain_id
        self._kept_users = kept_users
        self._progress = progress

    def clean(self) -> None:
        """End the apps, then delete the spaces and the other users, and wait for each. Raises UserError."""
        with translate_aws_errors(f"domain {self._domain_id}"):
            describe = self._sagemaker.describe_domain
            if self._is_gone(lambda domain: describe(**domain), {"DomainId": self._domain_id}):
                return
            self._end_resources(
                "apps", self._list_apps, lambda app: self._sagemaker.delete_app(**identify(app, *APP_MEMBERS))
            )
            self._end_resources(
                "spaces",
                lambda: self._list_pages("list_spaces", "Spaces"),
                lambda space: self._sagemaker.delete_space(**identify(space, "DomainId", "SpaceName")),
            )
            self._end_resources(
                "users",
                self._list_users,
                lambda user: self._sagemaker.delete_user_profile(**identify(user, "DomainId", "UserProfileName")),
            )

    def _end_resources(
        self,
        noun: str,
        list_remaining: Callable[[], Iterator[Mapping[str, Any]]],
        delete: Callable[[Mapping[str, Any]], object],
    ) -> None:
        """Delete resources of one type until none remains."""
        begin, ended_names = time.monotonic(), set[str]()
        while remaining := [one for one in list_remaining() if _format_name(one) not in ended_names]:
            for one in remaining:
                if one["Status"] != "Deleting" and self._is_gone(delete, one):
                    ended_names.add(_format_name(one))
            elapsed = time.monotonic() - begin
            if elapsed > LONGEST_SECONDS:
                names = ", ".join(sorted(map(_format_name, remaining)))
                raise UserError(
                    f"domain {self._domain_id}: {noun} did not end within {LONGEST_SECONDS / 60:.0f} minutes: {names}; "
                    "Terraform destroyed nothing; run the command again"
                )
            self._progress(f"{len(remaining)} {noun} of domain {self._domain_id}, {elapsed:.0f} s")
            time.sleep(_PAUSE_SECONDS)

    @staticmethod
    def _is_gone(request: Callable[[Mapping[str, Any]], object], one: Mapping[str, Any]) -> bool:
        """Send a request about a resource; return True if the resource was gone before."""
        from botocore.exceptions import ClientError

        try:
            request(one)
        except ClientError as error:
            if read_error_code(error) == _ABSENT or any(text in str(error) for text in _ENDED):
                return True
            if read_error_code(error) not in _BUSY:
                raise
        return False

    def _list_pages(self, operation: str, member: str) -> Iterator[Mapping[str, Any]]:
        for page in self._sagemaker.get_paginator(operation).paginate(DomainIdEquals=self._domain_id):
            yield from page[member]

    def _list_apps(self) -> Iterator[Mapping[str, Any]]:
        """Yield the apps that exist. Deleted ones stay in lists for a day."""
        return (app for app in self._list_pages("list_apps", "Apps") if app["Status"] != "Deleted")

    def _list_users(self) -> Iterator[Mapping[str, Any]]:
        users = self._list_pages("list_user_profiles", "UserProfiles")
        return (user for user in users if user["UserProfileName"] not in self._kept_users)


def identify(resource: Mapping[str, Any], *members: str) -> dict[str, Any]:
    """Return the members of a resource that identify it in requests, without absent ones."""
    return {member: resource[member] for member in members if resource.get(member) is not None}


def _format_name(resource: Mapping[str, Any]) -> str:
    owner = resource.get("SpaceName") or resource.get("UserProfileName")
    return "/".join(filter(None, (owner, resource.get("AppType"), resource.get("AppName"))))
