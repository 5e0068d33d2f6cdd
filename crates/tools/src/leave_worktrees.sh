# __leave <job>: removes the working copies of a job in which nothing is uncommitted.
__leave() (
    for tree in "$HOME/worktrees/$1"/*/; do
        if [ -d "$tree" ] && changes=$(git -C "$tree" status --porcelain) && [ -z "$changes" ]; then
            git -C "$tree" worktree remove -- "$tree"
        fi
    done
    rmdir -- "$HOME/worktrees/$1" 2> /dev/null
    true
) > /dev/null 2>&1
