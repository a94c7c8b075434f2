"""Speaks to the task service that runs this program (docs/programs.md). Copy this file: it needs nothing else."""
import json, os, sys
from pathlib import Path

PHASE = os.environ["PHASE"]  # stage, publish or discard
RELEASE = os.environ["RELEASE_ID"]
WORK_DIR = Path(os.environ["WORK_DIR"])  # empty, of this attempt alone
RELEASE_DIR = Path(os.environ["RELEASE_DIR"])  # seen by every phase, on every host
STAGE_DIR = Path(os.environ["STAGE_DIR"]) if "STAGE_DIR" in os.environ else None  # WORK_DIR of the stage that won


def _file(name):
    return json.loads(Path(os.environ[name]).read_text()) if name in os.environ else None


def _say(**words):
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


studies = _file("STUDIES_FILE")  # list of ids
told = _file("STAGED_FILE")  # what staged() was given; None in stage, and where no stage has finished
_steps = _file("STEPS_FILE")


def progress(percent, text=None):
    _say(progress=percent, **({} if text is None else {"message": text}))


def message(text):
    _say(message=text)


def summary(**fields):
    """For whoever decides to publish; the last one counts."""
    _say(summary=fields)


def staged(value):
    """For publish and discard, which find it in `told`."""
    _say(staged=value)


def step(name, fn):
    """Runs fn once: later attempts of the same version get its result, which must be JSON, instead."""
    if name not in _steps:
        _steps[name] = fn()
        _say(step=name, result=_steps[name])
    return _steps[name]


def retry(why):
    """Ends the program: not now, try again later."""
    print(why, file=sys.stderr)
    sys.exit(75)
