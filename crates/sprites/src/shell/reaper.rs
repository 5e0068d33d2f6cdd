//! Ending what a command of a kept shell started, by a program that runs beside the shell: the
//! protocol's own signals go to process groups, which commands leave at will.

use crate::process::Door;
use futures_util::StreamExt as _;
use ports::sandbox::{Command, ProcessEvent};
use std::time::Duration;

/// How long the program lives when nobody waits for it.
const LINGER: Duration = Duration::from_secs(5);

/// `$1` is the shell, `$2` since when what it started is meant, in ticks of the system's clock. The
/// rest of the command is skipped, then what descends from the shell is asked to end and, after
/// half a second, made to. It gives up after two.
const SCRIPT: &str = r#"
shell=$1 since=$2
descendants() {
  local stat line parent queue=("$shell")
  local -A children=() begun=()
  for stat in /proc/[0-9]*/stat; do
    line=
    { IFS= read -r -d '' line; } 2>/dev/null <"$stat"
    [ -n "$line" ] || continue
    set -- ${line##*) }
    [ "$1" = Z ] && continue
    children[$2]+=" ${line%% *}"
    begun[${line%% *}]=${20}
  done
  left=()
  while [ ${#queue[@]} -gt 0 ]; do
    parent=${queue[0]}
    queue=("${queue[@]:1}")
    for child in ${children[$parent]-}; do
      queue+=("$child")
      [ "${begun[$child]}" -ge "$since" ] && left+=("$child")
    done
  done
}
exec 2>/dev/null
kill -RTMAX "$shell"
declare -A asked=()
quiet=0
begin=${EPOCHREALTIME/[.,]/}
spent=0
while [ "$spent" -lt 2000000 ]; do
  spent=$((${EPOCHREALTIME/[.,]/} - begin))
  descendants
  if [ ${#left[@]} -eq 0 ]; then
    quiet=$((quiet + 1))
    [ "$quiet" -ge 3 ] && exit 0
  else
    quiet=0
  fi
  for child in "${left[@]}"; do
    if [ "$spent" -gt 500000 ]; then
      kill -KILL "$child"
    elif [ -z "${asked[$child]-}" ]; then
      asked[$child]=1
      kill -TERM "$child"
    fi
  done
  sleep 0.02
done
exit 1
"#;

/// Ends what a shell started since then. That it did not work is seen by what happens next.
pub(super) async fn end_command(door: &Door, shell: &str, since: &str) {
    let arguments = ["bash", "-c", SCRIPT, "bash", shell, since];
    let command = Command {
        program: None,
        arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
        environment: Vec::new(),
        directory: None,
        terminal: None,
        input: false,
        linger: Some(LINGER),
    };
    let opened = door.open(&command).await;
    let Ok(mut attached) = opened else {
        return;
    };
    while let Some(Ok(event)) = attached.output.next().await {
        if matches!(event, ProcessEvent::Ended(_)) {
            return;
        }
    }
}
