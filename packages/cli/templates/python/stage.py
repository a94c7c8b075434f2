"""Prepares what this release will publish. Nothing of it is public yet."""
import json
from release_task import WORK_DIR, progress, studies, summary

(WORK_DIR / "studies.json").write_text(json.dumps(studies))
progress(100, "written")
summary(studies=len(studies))
