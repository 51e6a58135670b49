"""Fetch the volumes of the `seismic-zfp` source distribution, which the tests read, into .cache/.

They were written by other people's software (LGPL-3.0) and are never committed. pip downloads and
checks them, so mirrors and proxies that pip is set up for are used.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

RELEASE = "seismic_zfp-0.5.0"
SHA256 = "5a32ae86c05ee3bfb6d120022a424aa5477707c4ab4e8213b42cf2adb69bede4"
SUFFIXES = (".sgy", ".segy", ".vds")
FOLDER = Path(__file__).resolve().parent.parent / ".cache" / RELEASE


def main() -> int:
    """Fetch unless it is there; 0 when the files are in place."""
    if FOLDER.is_dir():
        return 0
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as temporary:
        archive = _download(Path(temporary))
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != SHA256:
            print(f"{archive.name} has the digest {digest}, expected {SHA256}.", file=sys.stderr)
            return 1
        unpacked = Path(temporary) / "unpacked"
        _unpack(archive, unpacked)
        # In place under its name only when it is whole.
        unpacked.rename(FOLDER)
    print(f"Test volumes are in {FOLDER.relative_to(Path.cwd())}")
    return 0


def _download(folder: Path) -> Path:
    name, version = RELEASE.split("-")
    requirement = f"{name}=={version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run(
        [*command, "--no-binary", name, "--dest", str(folder), requirement], check=True, timeout=300
    )
    return folder / f"{RELEASE}.tar.gz"


def _unpack(archive: Path, folder: Path) -> None:
    """Copy the volumes out of `test_data/`, with the licence; nothing else of the archive."""
    prefix = f"{RELEASE}/test_data/"
    with tarfile.open(archive) as source:
        for member in source:
            inside = member.name.removeprefix(prefix)
            wanted = member.name.startswith(prefix) and inside.endswith(SUFFIXES)
            if member.name == f"{RELEASE}/LICENSE.md":
                wanted, inside = True, "LICENSE.md"
            if not (wanted and member.isfile()) or ".." in Path(inside).parts:
                continue
            content = source.extractfile(member)
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                with target.open("wb") as out:
                    shutil.copyfileobj(content, out)


if __name__ == "__main__":
    sys.exit(main())
