# Canceled or failed: undoes what publish may have done.
set -eu

rm -f "$RELEASE_DIR/public/$RELEASE_ID.json"
