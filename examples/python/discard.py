"""Canceled or failed: undoes what publish may have done. What stage left in its folder, the service removes."""
import os, shutil
from release_task import RELEASE, RELEASE_DIR

public = RELEASE_DIR / "public"
print(f"undone from {os.environ['FROM_STATE']}")
if os.path.islink(public / "latest") and os.readlink(public / "latest") == RELEASE:
    os.unlink(public / "latest")
for name in (RELEASE, f".{RELEASE}"):
    shutil.rmtree(public / name, ignore_errors=True)
