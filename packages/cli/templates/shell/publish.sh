# Makes public what was staged. May be run again after it was done.
set -eu

mkdir -p "$RELEASE_DIR/public"
cp "$STAGE_DIR/studies.json" "$RELEASE_DIR/public/.$RELEASE_ID.json"
mv "$RELEASE_DIR/public/.$RELEASE_ID.json" "$RELEASE_DIR/public/$RELEASE_ID.json"
