"""Reads the participants of every study, page by page, into one file each. Nothing of it is public yet."""
import json, os, urllib.error, urllib.request
from urllib.parse import urlencode, urljoin
from release_task import WORK_DIR, progress, retry, staged, step, studies, summary

SERVICE = os.environ["DATASERVICE_URL"]
ROWS_PER_PAGE = 1000


def page(path):
    try:
        with urllib.request.urlopen(urljoin(SERVICE, path), timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code < 500 and error.code != 429:
            raise  # asking again cannot help: the task fails, with this as its error
        retry(f"GET {path} answered {error.code}")
    except OSError as error:
        retry(f"GET {path}: {error}")


def address(study, **more):
    return "/participants?" + urlencode({"study_id": study, "visible": "true", "limit": ROWS_PER_PAGE, **more})


def pages(study):
    path = address(study)
    while path:
        found = page(path)
        yield found["results"]
        following = found["_links"].get("next")
        path = following and f"{following}&visible=true&limit={ROWS_PER_PAGE}"


totals = step("count", lambda: {study: page(address(study, limit=1))["total"] for study in studies})
rows = 0
for study in studies:
    with open(WORK_DIR / f"{study}.ndjson", "w") as file:
        for results in pages(study):
            file.writelines(json.dumps(row) + "\n" for row in results)
            rows += len(results)
            progress(100 * rows / max(1, sum(totals.values())), f"{study}: {rows:,} rows")
        file.flush()
        os.fsync(file.fileno())
    print(f"{study} is read")  # any other line is log

summary(studies=len(studies), rows=rows)
staged({"files": [f"{study}.ndjson" for study in studies]})
