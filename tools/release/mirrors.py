"""Mirror repositories of a release: the modules for Terraform's registry, the GitHub action and the pre-commit hook.

Each is a bare git repository. A release adds one commit and one annotated tag to it. Commits have the author and the
date of the released commit, so the same source gives the same commit IDs.
"""

import re
import string
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sustainable_mlops.base.errors import UserError
from sustainable_mlops.base.git import GitError, run_git
from sustainable_mlops.base.terraform import VERSIONS
from tools.release.checks import CHANGELOG
from tools.release.links import relocate_links
from tools.release.references import ACTION_MIRROR, HOOK_MIRROR, TERRAFORM_MIRROR, find_owner, read_address

_PAGES = Path(__file__).with_name("pages")
#: Files that the action and the hook install.
_PACKAGE = ("LICENSE", "constraints.txt", "pyproject.toml", "sagemaker_sandbox", "sustainable_mlops")
_NOT_HCL = (".py", "breaking_changes.yaml", "released.tar.xz")
#: The registry requires configuration in the root folder. A root module with resources would be a second composition
#: beside the environments, so it has none.
_ROOT_COMMENT = "# Call a module of the folder modules/. This root module creates nothing.\n"


@dataclass(frozen=True)
class Source:
    """Exported tree of the released commit, with the names that its pages use."""

    folder: Path
    version: str
    commit: str

    @property
    def tag(self) -> str:
        """Tag of the release."""
        return f"v{self.version}"

    @property
    def address(self) -> str:
        """Address of this repository."""
        return read_address(self.folder)

    @property
    def web(self) -> str:
        """Address of the tagged files as web pages."""
        return f"{self.address}/blob/{self.tag}"

    def list_files(self, *paths: str) -> list[str]:
        """Return the files at these paths."""
        paths_of_files = []
        for path in paths:
            location = self.folder / path
            files = [location] if location.is_file() else sorted(one for one in location.rglob("*") if one.is_file())
            paths_of_files += [str(file.relative_to(self.folder)) for file in files]
        return paths_of_files

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return (self.folder / path).read_text(encoding="utf-8")

    def render(self, page: str, **values: str) -> str:
        """Return a page of this tool's templates."""
        names = {"tag": self.tag, "version": self.version, "address": self.address, "web": self.web}
        siblings = {"siblings": self.address.rpartition("/")[0], "owner": find_owner(self.address)}
        return string.Template((_PAGES / page).read_text(encoding="utf-8")).substitute(names | siblings | values)


def list_terraform_files(source: Source) -> dict[str, bytes]:
    """Return the files of the modules in the standard structure of Terraform's registry.

    The registry shows the examples of a root folder only, so they move there.
    """
    moved = {path: _place_module_file(path) for path in source.list_files("modules") if not path.endswith(_NOT_HCL)}
    moved |= {path: path for path in ("LICENSE", CHANGELOG)}
    files = {new: (source.folder / old).read_bytes() for old, new in moved.items()}
    for old, new in moved.items():
        if new.endswith((".md", ".tf", ".hcl")):
            files[new] = _relocate(source, files[new].decode(), old, new, moved).encode()
    use = _read_section(source.read("README.md"), "## Use one module from plain HCL")
    page = source.render("terraform.md.txt", use=relocate_links(use, "README.md", "README.md", moved, source.web))
    roots = {f"{name}.tf": _ROOT_COMMENT for name in ("main", "variables", "outputs")}
    roots["versions.tf"] = f'terraform {{\n  required_version = "{VERSIONS}"\n}}\n'
    ignored = b".terraform/\n.terraform.lock.hcl\n*.tfstate\n*.tfstate.*\n*.tfplan\n"
    root_files = {name: text.encode() for name, text in roots.items()}
    return {**files, **root_files, "README.md": page.encode(), ".gitignore": ignored}


def _place_module_file(path: str) -> str:
    """Return the path in the mirror of a module's file."""
    return re.sub(r"^modules/(\w+)/examples/(\w+)/", r"examples/\1_\2/", path)


def _relocate(source: Source, text: str, old: str, new: str, moved: Mapping[str, str]) -> str:
    """Return the text of a module's page, configuration or test with the paths and addresses of the mirror."""
    if new.endswith(".md"):
        address = f"{source.address.rpartition('/')[0]}/{TERRAFORM_MIRROR}.git"
        text = re.sub(r'"\./modules/(\w+)"', rf'"git::{address}//modules/\1?ref={source.tag}"', text)
        return relocate_links(text, old, new, moved, source.web)
    name = old.split("/")[1]
    if new.startswith("examples/"):
        text = re.sub(r'"\.\./\.\./\.\./(\w+)"', r'"../../modules/\1"', text)
        return text.replace('"../.."', f'"../../modules/{name}"')
    return re.sub(r'"\./examples/(\w+)"', rf'"../../examples/{name}_\1"', text)


def _read_section(page: str, heading: str) -> str:
    """Return the text below a heading of a page."""
    match = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    if match is None:
        raise UserError(f"README.md: has no section `{heading}`, which is the page of the modules' mirror")
    return match[1].strip()


def list_action_files(source: Source) -> dict[str, bytes]:
    """Return the files of the GitHub action: its definition, and the package that it installs."""
    inputs = yaml.safe_load(source.read("action.yml"))["inputs"]
    table = "\n".join(
        f"| `{name}` | {' '.join(item['description'].split())} | {_format_default(item['default'])} |"
        for name, item in inputs.items()
    )
    page = source.render("action.md.txt", inputs=table)
    return {**_list_package_files(source), "action.yml": source.read("action.yml").encode(), "README.md": page.encode()}


def _format_default(value: str) -> str:
    return f"`{value}`" if value else ""


def list_hook_files(source: Source) -> dict[str, bytes]:
    """Return the files of the pre-commit hook: its definition, and the package that it installs."""
    hooks = source.read(".pre-commit-hooks.yaml").encode()
    page = source.render("pre_commit.md.txt").encode()
    return {**_list_package_files(source), ".pre-commit-hooks.yaml": hooks, "README.md": page}


def _list_package_files(source: Source) -> dict[str, bytes]:
    return {path: (source.folder / path).read_bytes() for path in source.list_files(*_PACKAGE)}


MIRRORS = {
    TERRAFORM_MIRROR: list_terraform_files,
    ACTION_MIRROR: list_action_files,
    HOOK_MIRROR: list_hook_files,
}


def write_mirrors(source: Source, origin: Path, folder: Path, *names: str) -> dict[str, str]:
    """Write the mirrors, or those of these names, into `folder`, and return the commit of each tag by name.

    `origin` has the released commit.
    """
    return {
        name: _write_mirror(source, origin, folder / f"{name}.git", MIRRORS[name](source)) for name in names or MIRRORS
    }


def _write_mirror(source: Source, origin: Path, repository: Path, files: Mapping[str, bytes]) -> str:
    """Add a commit and a tag with these files to a repository, and return the ID of the commit."""
    if not repository.exists():
        repository.mkdir(parents=True)
        run_git(repository, "init", "-q", "--bare", "--initial-branch=main")
    with tempfile.TemporaryDirectory() as scratch:
        tree, index = Path(scratch) / "tree", Path(scratch) / "index"
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        git = _Git(repository, tree, index, _read_identity(origin, source.commit))
        git.run("add", "--all", "--force", ".")
        tree_id = git.run("write-tree")
        released = git.find(f"{source.tag}^{{commit}}")
        if released:
            if git.find(f"{released}^{{tree}}") != tree_id:
                raise UserError(
                    f"{repository}: tag {source.tag} has other files; raise the version, or remove the folder"
                )
            return released
        parent = git.find("refs/heads/main")
        message = f"Release {source.tag}\n\nBuilt from {source.address}, commit {source.commit}."
        commit = git.run("commit-tree", tree_id, *(["-p", parent] if parent else []), "-m", message)
        git.run("update-ref", "refs/heads/main", commit)
        # An annotated tag, which git signs if the user's `tag.gpgSign` is set.
        git.run("tag", "--annotate", "-m", f"Release {source.tag}", source.tag, commit)
        return commit


def _read_identity(origin: Path, commit: str) -> dict[str, str]:
    """Return the variables with which git repeats the author and the date of a commit."""
    name, email, date = run_git(origin, "log", "-1", "--format=%an%n%ae%n%cI", commit).splitlines()
    values = {"NAME": name, "EMAIL": email, "DATE": date}
    return {f"GIT_{who}_{field}": value for who in ("AUTHOR", "COMMITTER") for field, value in values.items()}


@dataclass(frozen=True)
class _Git:
    """Git commands of one bare repository with a separate work tree."""

    repository: Path
    tree: Path
    index: Path
    identity: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        """Run a command, and return its stdout."""
        locations = {
            "GIT_DIR": str(self.repository),
            "GIT_WORK_TREE": str(self.tree),
            "GIT_INDEX_FILE": str(self.index),
        }
        return run_git(self.tree, *arguments, variables={**self.identity, **locations})

    def find(self, name: str) -> str:
        """Return the ID of an object; empty if there is none."""
        try:
            return self.run("rev-parse", "--verify", "--quiet", name)
        except GitError:
            return ""
