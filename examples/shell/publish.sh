#!/bin/sh
# Makes public what was staged. May be run again after a crash at any line, and then does the same once more.
set -eu
. ./release-task.sh

public=$RELEASE_DIR/public
mkdir -p "$public"
rm -rf "$public/.$RELEASE_ID"
cp -R "$STAGE_DIR" "$public/.$RELEASE_ID"
rm -rf "${public:?}/$RELEASE_ID"
mv "$public/.$RELEASE_ID" "$public/$RELEASE_ID"
# Readers follow this link: it leads to the old release or to the new one.
ln -sfn "$RELEASE_ID" "$public/.latest-$RELEASE_ID"
mv -T "$public/.latest-$RELEASE_ID" "$public/latest"
message "release $RELEASE_ID is public"
