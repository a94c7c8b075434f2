#!/bin/sh
# Canceled or failed: undoes what publish may have done. What stage left in its folder, the service removes.
set -eu

public=$RELEASE_DIR/public
echo "undone from $FROM_STATE"
if [ "$(readlink "$public/latest")" = "$RELEASE_ID" ]; then rm "$public/latest"; fi
rm -rf "${public:?}/$RELEASE_ID" "$public/.$RELEASE_ID"
