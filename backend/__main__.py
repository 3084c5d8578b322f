"""``python -m backend``: serve the add-on, dance to a song, prepare data, train.

The file may also be run by its path (``python -I path/to/backend/__main__.py serve``): the package is then loaded from
its own folder, with nothing added to the path that Python searches.
"""

import os
import sys

# Threads that wait without spinning, and nothing fetched; set before any library reads them.
for _name, _value in (
    ("KMP_BLOCKTIME", "0"),
    ("OMP_WAIT_POLICY", "PASSIVE"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("HF_HUB_OFFLINE", "1"),
):
    os.environ.setdefault(_name, _value)


def _load_package() -> None:
    """Make ``backend`` the package in this file's folder, when Python does not know it as one."""
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    folder = Path(__file__).resolve().parent
    spec = spec_from_file_location("backend", folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules["backend"] = package
    spec.loader.exec_module(package)


def main() -> None:
    """Run the command line; ``serve`` takes the wire before anything heavy is imported."""
    if not __package__:
        _load_package()
    if sys.argv[1:2] == ["serve"]:
        from backend.server import main as serve

        serve(sys.argv[2:])
        return
    from backend.command_line import main as command_line

    command_line()


if __name__ == "__main__":
    main()
