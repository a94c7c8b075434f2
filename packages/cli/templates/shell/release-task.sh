# Speaks to the task service that runs this program (docs/programs.md). Copy this file and begin with
#   . ./release-task.sh
# Plain sh; it needs nothing else.

# json_text TEXT: the text as JSON
json_text() {
  printf '"%s"' "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' | tr '\t\r' '  ' | sed -e ':a' -e 'N' -e '$!ba' -e 's/\n/\\n/g')"
}

# progress PERCENT [TEXT]
progress() {
  if [ $# -gt 1 ]; then printf '{"progress": %s, "message": %s}\n' "$1" "$(json_text "$2")"; else printf '{"progress": %s}\n' "$1"; fi
}

# message TEXT
message() { printf '{"message": %s}\n' "$(json_text "$1")"; }

# summary JSON: for whoever decides to publish, such as summary '{"files": 3}'
summary() { printf '{"summary": %s}\n' "$1"; }

# staged JSON: for publish and discard, which find it in $STAGED
staged() { printf '{"staged": %s}\n' "$1"; }

# step NAME COMMAND…: runs it once; later attempts of the same version do not run it again. Names without " and \.
step() {
  step_name=$1
  shift
  grep -qF "\"$step_name\":" "$STEPS_FILE" && return 0
  "$@" || return
  printf '{"step": "%s"}\n' "$step_name"
}

# retry TEXT: ends the program; not now, try again later
retry() {
  printf '%s\n' "$1" >&2
  exit 75
}

# studies: ids, one a line
studies() { printf '%s\n' "$STUDIES" | tr ',' '\n'; }
