"""Adoption of existing resources: a root module that describes them as they are, with import blocks.

`scan.scan_account` only reads. `verification.verify_adoption` plans, and excludes resources that the plan would change.
`files.render_files` returns the root module, and `environment_settings.build_environment_settings` the settings with
which an environment uses the resources.
"""

from sustainable_mlops.account.adopt.adoption import AdoptedObject, AdoptionReport, ExcludedObject, ImportedResource
from sustainable_mlops.account.adopt.environment_settings import build_environment_settings
from sustainable_mlops.account.adopt.files import check_folder, render_files, write_files
from sustainable_mlops.account.adopt.scan import list_actions, scan_account
from sustainable_mlops.account.adopt.selection import Selection, parse_selection
from sustainable_mlops.account.adopt.verification import verify_adoption

__all__ = [
    "AdoptedObject",
    "AdoptionReport",
    "ExcludedObject",
    "ImportedResource",
    "Selection",
    "build_environment_settings",
    "check_folder",
    "list_actions",
    "parse_selection",
    "render_files",
    "scan_account",
    "verify_adoption",
    "write_files",
]
