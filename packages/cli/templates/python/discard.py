"""Canceled or failed: undoes what publish may have done."""
from release_task import RELEASE, RELEASE_DIR

(RELEASE_DIR / "public" / f"{RELEASE}.json").unlink(missing_ok=True)
