#!/bin/sh
# Put the notebooks that the build made for readers elsewhere onto a branch, for Binder and Colab.
# Usage: tools/push_notebooks.sh BUILT BRANCH, from the repository's root; BUILT is _build/html.
#
# The branch is HEAD with other notebooks in notebooks/, one commit, and replaced each time.
set -eu

built=$1
branch=$2
if [ ! -f "$built/notebooks/l2.ipynb" ]; then
    echo "reglab: $built/notebooks has no notebooks; run make book first" >&2
    exit 1
fi
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree"' EXIT
git worktree add --quiet --detach "$tree" HEAD
cp "$built"/notebooks/*.ipynb "$tree/notebooks/"
git -C "$tree" add notebooks
git -C "$tree" -c user.name=reglab -c user.email=reglab@localhost commit --quiet --allow-empty \
    --message "Notebooks in plain Markdown, made from $(git rev-parse --short HEAD)"
git -C "$tree" push --quiet --force origin "HEAD:refs/heads/$branch"
