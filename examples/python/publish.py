"""Makes public what was staged. May be run again after a crash at any line, and then does the same once more."""
import os, shutil
from release_task import RELEASE, RELEASE_DIR, STAGE_DIR, message, told

public = RELEASE_DIR / "public"
public.mkdir(exist_ok=True)
draft = public / f".{RELEASE}"
shutil.rmtree(draft, ignore_errors=True)
draft.mkdir()
for name in told["files"]:
    shutil.copy(STAGE_DIR / name, draft / name)
shutil.rmtree(public / RELEASE, ignore_errors=True)
os.rename(draft, public / RELEASE)

# Readers follow this link: it leads to the old release or to the new one, never to a half.
link = public / f".latest-{RELEASE}"
link.unlink(missing_ok=True)
link.symlink_to(RELEASE)
os.replace(link, public / "latest")
message(f"{len(told['files'])} files are public")
