//! Names of signals. The numbers are Linux's, which is what sprites run.

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
/// The last number there is.
pub const LAST: i32 = 64;

/// The number of `TERM`, `SIGTERM`, `sigterm` or `15`.
pub fn number(name: &str) -> Option<i32> {
    let name = name.trim().to_ascii_uppercase();
    let bare = name.strip_prefix("SIG").unwrap_or(&name);
    let listed = NAMES.iter().position(|known| *known == bare);
    let number = match listed {
        Some(index) => i32::try_from(index + 1).ok()?,
        None => bare.parse().ok()?,
    };
    (1..=LAST).contains(&number).then_some(number)
}

/// `SIGTERM` for 15; a real-time signal is its number.
pub fn name(number: i32) -> String {
    let index = usize::try_from(number - 1).ok();
    match index.and_then(|index| NAMES.get(index)) {
        Some(name) => format!("SIG{name}"),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{name, number};

    #[test]
    fn every_spelling_of_a_signal_is_known() {
        for spelling in ["TERM", "SIGTERM", "sigterm", "15", " 15"] {
            assert_eq!(number(spelling), Some(15), "{spelling}");
        }
        for bad in ["", "SIG", "0", "65", "-9", "TERMINATE"] {
            assert_eq!(number(bad), None, "{bad}");
        }
        for signal in 1..=64 {
            assert_eq!(number(&name(signal)), Some(signal));
        }
        assert_eq!(name(9), "SIGKILL");
    }
}
