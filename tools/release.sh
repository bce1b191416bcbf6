#!/bin/sh
# The record of what passed and what was deployed, kept where everyone sees it: in the repository itself.
#   green    moves the branch green to this commit, which may be released: it was proved on staging and by JVM Spark
#   branch   moves the branch release to green; prints true when it moved, false when it was there already, or no green is
#   tag      tags this commit as deployed to prod: release-DATE-TIME-COMMIT
#   earlier  checks out the earlier release that RELEASE names
# Nothing is forced: a branch that holds other commits stays as it is, and the command fails.
set -eu

# The workflows' triggers name branches too: docs/cicd.md lists where.
main=main release=release green=green

fail() { echo "error: $1" >&2; exit 1; }

head_of() {
    found=$(git ls-remote origin "refs/heads/$1") || fail "the repository did not say where its branch $1 is."
    echo "$found" | cut -f 1
}

move() { git push --quiet origin "$1:refs/heads/$2" || fail "the branch $2 was not moved to $1: does it hold commits that $main lacks?"; }

case "${1:-}" in
    green)
        commit=$(git rev-parse HEAD)
        proved=$(head_of "$green")
        # An older run that is started again proves what was proved already.
        if [ -n "$proved" ] && git fetch --quiet origin "$green" && git merge-base --is-ancestor "$commit" "$proved"; then
            echo "$green is at $proved, which holds $commit."
        else
            move "$commit" "$green"
        fi
        ;;
    branch)
        proved=$(head_of "$green")
        released=$(head_of "$release")
        if [ -z "$proved" ]; then
            echo "nothing to release: there is no branch $green, for no commit of $main has been proved yet (docs/cicd.md)." >&2
            echo false
        elif [ "$released" = "$proved" ]; then
            echo false
        else
            git fetch --quiet origin "$green"
            move "$proved" "$release"
            echo true
        fi
        ;;
    tag)
        commit=$(git rev-parse HEAD)
        tag=$(git ls-remote origin 'refs/tags/release-*' | sed -n "s|^$commit\trefs/tags/||p" | head -n 1)
        if [ -z "$tag" ]; then
            tag="release-$(date -u +%Y%m%d-%H%M%S)-$(git rev-parse --short HEAD)"
            git push --quiet origin "$commit:refs/tags/$tag"
        fi
        echo "$tag"
        ;;
    earlier)
        case "${RELEASE:-}" in
            release-*) ;;
            *) fail "'${RELEASE:-}' is not a release: set RELEASE to a tag that begins with release- ('git tag --list release-*' shows them)." ;;
        esac
        git rev-parse --verify --quiet "refs/tags/$RELEASE^{commit}" >/dev/null || fail "there is no tag '$RELEASE'."
        git merge-base --is-ancestor "refs/tags/$RELEASE" "refs/remotes/origin/$release" \
            || fail "'$RELEASE' was never on the branch $release."
        git checkout --quiet --detach "refs/tags/$RELEASE"
        ;;
    *)
        fail "say one of green, branch, tag, earlier."
        ;;
esac
