//! What bash runs in a kept shell, and what is said to it. A command is one message: a line with
//! its size and a token, the script, and a line with another token. The first token is printed on
//! both outputs before the command, the second, with the exit code, after it: bash reads it only
//! then, so no output can hold it by accident, and none that a command prints from what it was
//! given. Commands have no input and none of the loop's descriptors.
//!
//! A command that goes looking for the loop's descriptors in `/proc` can forge its own end: it is
//! the same process. It fools only whoever runs it, about itself.

use crate::random::secret_text;
use bytes::Bytes;
use ports::sandbox::SandboxError;

/// What every mark begins with.
pub(super) const MARK: u8 = 0x1e;
/// Bash reads a pipe byte by byte; what is longer another program reads in one go.
const SHORT: usize = 4 << 10;

/// It is one line, so that line numbers in messages are those of the command. 3 is its input, 4
/// and 5 are the command's outputs; the loop itself prints nowhere. The inner `for` catches a stray
/// `break` or `continue`.
///
/// On the last real-time signal the rest of the command is skipped: a DEBUG trap refuses each
/// further command, breaks out of loops and returns from functions, until the loop takes over.
pub(super) const DRIVER: &str = concat!(
    r#"exec 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>&1; "#,
    r#"export LANG="${LANG:-C.UTF-8}" LOGNAME="${LOGNAME:-sprite}" USER="${USER:-sprite}" "#,
    r#"SHELL=/bin/bash TERM=dumb TMPDIR="${TMPDIR:-/tmp}"; unset OLDPWD; "#,
    r#"__sprite_done() { __sprite_busy= __sprite_end=; "#,
    r#"IFS= read -r -u 3 __sprite_end || exit; "#,
    r#"printf "\036%s %d\n" "$__sprite_end" "$1" >&4; printf "\036%s\n" "$__sprite_end" >&5; }; "#,
    r#"__sprite_status() { return "$1"; }; "#,
    r#"__sprite_last=0; __sprite_busy=; "#,
    r#"trap '[ -z "$__sprite_busy" ] || { shopt -s extdebug; trap '\''case $BASH_COMMAND in "#,
    r#""__sprite_done "*|*__sprite_end*) trap - DEBUG; shopt -u extdebug;; "#,
    r#""for "*|"select "*) break 999 2>/dev/null;; "#,
    r#""(("*) [ 1 -eq x ] 2>/dev/null;; "#,
    r#"*) { break 0 && [ 1 -eq x ]; } 2>/dev/null;; esac'\'' DEBUG; }' RTMAX; "#,
    r#"__sprite_loop='while IFS=" " read -r -u 3 __sprite_how __sprite_begin || exit; do "#,
    r#"for __sprite_once in 1; do "#,
    r#"if [ "$__sprite_how" = 0 ]; then IFS= read -r -d "" -u 3 __sprite_script; "#,
    r#"else __sprite_script=$(/usr/bin/head -c "$__sprite_how" <&3; echo .); "#,
    r#"__sprite_script=${__sprite_script%.}; fi; "#,
    r#"IFS=" " read -r __sprite_up __sprite_idle </proc/uptime; "#,
    r#"printf "\036%s %s %s\n" "$__sprite_begin" "$$" "$__sprite_up" >&4; "#,
    r#"printf "\036%s\n" "$__sprite_begin" >&5; __sprite_busy=1; "#,
    r#"__sprite_status "$__sprite_last"; "#,
    r#"eval "$__sprite_script" >&4 2>&5 3<&- 4>&- 5>&-; "#,
    r#"done; __sprite_last=$?; __sprite_done "$__sprite_last"; done; "#,
    r#"__sprite_last=124; __sprite_done 124; eval "$__sprite_loop"'; "#,
    r#"eval "$__sprite_loop""#,
);

/// A command as it is said to the loop, and how its output is told apart.
pub(super) struct Spoken {
    pub(super) message: Bytes,
    pub(super) begin: String,
    pub(super) end: String,
}

/// Puts a script into words the loop understands.
pub(super) fn speak(script: &str) -> Result<Spoken, SandboxError> {
    if script.contains('\0') {
        let text = "a script cannot contain a NUL byte";
        return Err(SandboxError::Refused(text.into()));
    }
    let (begin, end) = (secret_text()?, secret_text()?);
    let message = if script.len() <= SHORT {
        format!("0 {begin}\n{script}\0{end}\n")
    } else {
        format!("{} {begin}\n{script}{end}\n", script.len())
    };
    Ok(Spoken {
        message: message.into(),
        begin,
        end,
    })
}
