# __checkout <repository> <reference or nothing> <job>: prints the path of the working copy.
__checkout() (
    set -eu -o pipefail
    repository=$1 reference=$2 job=$3
    command -v git > /dev/null || { echo "git is not installed in this sandbox" >&2; exit 1; }
    case $repository in
        *://* | *@*:*) ;;
        *) repository=$(cd -- "$repository" && pwd) ;;
    esac
    name=$(basename -- "${repository%/}" .git)
    clone=$HOME/.repositories/$name-$(printf %s "$repository" | sha256sum | cut -c 1-12).git
    tree=$HOME/worktrees/$job/$name
    mkdir -p -- "$HOME/.repositories" "$HOME/worktrees/$job"
    # Two jobs may want the same clone at the same time.
    exec 9> "$clone.lock"
    flock 9
    if [ ! -d "$clone" ]; then
        rm -rf -- "$clone.new"
        git init --quiet --bare -- "$clone.new"
        git -C "$clone.new" remote add origin "$repository"
        git -C "$clone.new" fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*'
        git -C "$clone.new" remote set-head origin --auto > /dev/null
        mv -- "$clone.new" "$clone"
    elif ! git -C "$clone" fetch --quiet --tags --prune origin '+refs/heads/*:refs/remotes/origin/*'; then
        echo "the repository could not be fetched; this is what was fetched last" >&2
    fi
    if [ ! -e "$tree" ]; then
        start=${reference:-origin/HEAD}
        if git -C "$clone" rev-parse --quiet --verify "refs/remotes/origin/$start" > /dev/null; then
            start=origin/$start
        fi
        git -C "$clone" worktree prune
        # A branch that an earlier checkout of this job left holds its commits.
        if git -C "$clone" rev-parse --quiet --verify "refs/heads/job/$job" > /dev/null; then
            git -C "$clone" worktree add --quiet "$tree" "job/$job" >&2
        else
            git -C "$clone" worktree add --quiet --no-track -b "job/$job" "$tree" "$start" >&2
        fi
    fi
    echo "branch job/$job, at $(git -C "$tree" log -1 --format='%h %s')" >&2
    printf '%s\n' "$tree"
)
