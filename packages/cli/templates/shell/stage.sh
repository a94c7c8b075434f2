# Prepares what this release will publish. Nothing of it is public yet.
set -eu
. ./release-task.sh

cp "$STUDIES_FILE" "$WORK_DIR/studies.json"
progress 100 written
summary "{\"studies\": $(studies | wc -l)}"
