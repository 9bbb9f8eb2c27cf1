"""Compilation of the trained trees to machine code, for x86-64 and for Arm (Graviton).

    python compile_trees.py --model_dir out/model

writes trees-x86_64.so and trees-aarch64.so beside trees.npz. inference.py loads the one of its processor, and evaluates
the arrays if there is none. The values are the same to the last bit: the code adds the leaves in the same order.

The libraries need no other library, so they load in every Linux image. The library of this computer's processor is
compared with the arrays; the script deletes both if a value differs. The compiler is that of the package `ziglang`,
which compiles for both processors, or else `cc`, which compiles for the processor of this computer.
"""

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING or __package__:
    from .features import InputError
    from .trees import FILE, CompiledTrees, Trees, find_library
else:  # a script imports from its own folder
    from features import InputError
    from trees import FILE, CompiledTrees, Trees, find_library

MACHINES = ("x86_64", "aarch64")
#: Random rows of the comparison.
ROWS = 2000
#: No fused multiply-add and no reordering, which would round differently.
_OPTIONS = ("-O2", "-s", "-shared", "-fPIC", "-nostdlib", "-ffreestanding", "-ffp-contract=off", "-fno-stack-protector")
_HEAD = """\
static int has(const unsigned char *set, int last, float x) {{
  return set[x <= 0 ? 0 : x >= last ? last : (int)x];
}}
const unsigned int trees_checksum = {checksum}u;
"""
_EVALUATE = """\
void evaluate(const float *rows, long count, long width, float *margins) {{
  for (long row = 0; row < count; row++) {{
    const float *x = rows + row * width;
    float margin = {base}f;
{additions}
    margins[row] = margin;
  }}
}}
"""


def generate_code(trees: Trees, checksum: int) -> str:
    """Return C code that computes the margins of rows. `checksum` is that of the file with the trees."""
    lines = [_HEAD.format(checksum=checksum)]
    for number, row in enumerate(trees.goes_right):
        lines.append(f"static const unsigned char set{number}[] = {{{','.join(str(int(bit)) for bit in row)}}};")
    for number, root in enumerate(trees.roots):
        lines += [f"static float tree{number}(const float *x) {{", *_generate_node(trees, int(root)), "}"]
    additions = "\n".join(f"    margin += tree{number}(x);" for number in range(len(trees.roots)))
    return "\n".join([*lines, _EVALUATE.format(base=float(trees.base).hex(), additions=additions)])


def _generate_node(trees: Trees, node: int) -> Iterator[str]:
    left, right = int(trees.left[node]), int(trees.right[node])
    if left == node:
        yield f"return {float(trees.value[node]).hex()}f;"
        return
    yield f"if ({_generate_condition(trees, node)}) {{"
    yield from _generate_node(trees, left)
    yield "} else {"
    yield from _generate_node(trees, right)
    yield "}"


def _generate_condition(trees: Trees, node: int) -> str:
    """Return the condition of going left. A comparison with NaN, which is a missing value, is false."""
    x, missing_left, number = f"x[{trees.feature[node]}]", bool(trees.missing_left[node]), int(trees.categories[node])
    if number >= 0:
        in_set = f"!has(set{number}, {trees.goes_right.shape[1] - 1}, {x})"
        return f"{x} != {x} || {in_set}" if missing_left else f"{x} == {x} && {in_set}"
    value = f"{float(trees.value[node]).hex()}f"
    return f"!({x} >= {value})" if missing_left else f"{x} < {value}"


def find_compiler(machine: str) -> list[str]:
    """Return the command of a compiler for this processor. Raises InputError if there is none."""
    if find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-gnu"]
    if machine == platform.machine() and (compiler := shutil.which("cc")):
        return [compiler]
    raise InputError(f"no compiler for {machine}: pip install 'sustainable-mlops[compile]'")


def compile_trees(model_dir: Path, machines: Sequence[str] = MACHINES) -> list[Path]:
    """Write the library of each processor beside the trees. Raises InputError."""
    try:
        trees, checksum = Trees.load(model_dir), zlib.crc32((model_dir / FILE).read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"no trees in {model_dir}: {error}") from None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "trees.c"
        source.write_text(generate_code(trees, checksum))
        libraries = [find_library(model_dir, machine) for machine in machines]
        for machine, library in zip(machines, libraries, strict=True):
            command = [*find_compiler(machine), *_OPTIONS, "-o", str(library), str(source)]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            if process.returncode:
                raise InputError(f"the compiler for {machine} failed: {process.stderr.strip()[-500:]}")
    check_library(trees, find_library(model_dir, platform.machine()), libraries)
    return libraries


def check_library(trees: Trees, own: Path, libraries: Sequence[Path]) -> None:
    """Compare the library of this computer with the arrays.

    Raises InputError, and deletes all libraries, if a value differs.
    """
    if own not in libraries:
        return
    generator = np.random.default_rng(0)
    rows = generator.choice(trees.value, (ROWS, int(trees.feature.max()) + 1)).astype(np.float32)
    rows[generator.random(rows.shape) < 0.1] = np.nan
    rows[:, generator.random(rows.shape[1]) < 0.5] *= 2
    if not np.array_equal(CompiledTrees(own).predict_probabilities(rows), trees.predict_probabilities(rows)):
        for library in libraries:
            library.unlink()
        raise InputError(f"{own} gives other values than {FILE}; report it with the versions of the compiler and numpy")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compile the trained trees for x86-64 and Arm.")
    parser.add_argument("--model_dir", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--machine", choices=MACHINES, action="append", help="processor; default: both")
    options = parser.parse_args(arguments)
    try:
        libraries = compile_trees(options.model_dir, options.machine or MACHINES)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    for library in libraries:
        print(f"{library}: {library.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
