"""Makes public what was staged. May be run again after it was done."""
import os, shutil
from release_task import RELEASE, RELEASE_DIR, STAGE_DIR

public = RELEASE_DIR / "public"
public.mkdir(exist_ok=True)
shutil.copy(STAGE_DIR / "studies.json", public / f".{RELEASE}.json")
os.replace(public / f".{RELEASE}.json", public / f"{RELEASE}.json")
