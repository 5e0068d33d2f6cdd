//! Commands that are too long for the line of a request, which is where the wire has them: they go by
//! a file in the sprite, which removes itself and becomes the program.

use crate::{random, sprite::RemoteSprite};
use ports::sandbox::{Attached, Command, Files as _, Processes as _, Sandbox as _, SandboxError};

/// Servers take lines of this length; what is said beside the command fits too.
const LINE: usize = 16 << 10;

/// Whether a command has to go by a file.
pub(super) fn is_large(command: &Command) -> bool {
    let variables = command.environment.iter();
    let variables = variables.map(|(name, value)| name.len() + value.len());
    let arguments = command.arguments.iter().map(String::len);
    // Most bytes take three where they stand in an address.
    variables.chain(arguments).sum::<usize>() > LINE / 3
}

/// Starts one by a file.
pub(super) async fn start(
    sprite: &RemoteSprite,
    mut command: Command,
) -> Result<Attached, SandboxError> {
    let place = sprite.place().await?;
    let file = format!("{}/.nitejar-start-{}", place.home, random::secret_text()?);
    let source = source(&command)?;
    let arguments = std::mem::replace(&mut command.arguments, vec!["bash".into(), file.clone()]);
    command.program = None;
    command.environment = Vec::new();
    sprite.write_file(&file, source.into()).await?;
    match sprite.start(command).await {
        Ok(mut attached) => {
            attached.process.arguments = arguments;
            Ok(attached)
        }
        Err(error) => {
            // The first failure is the one to tell.
            drop(sprite.remove(&file, false).await);
            Err(error)
        }
    }
}

fn source(command: &Command) -> Result<String, SandboxError> {
    let mut lines = vec!["rm -f -- \"$0\"".to_owned()];
    for (name, value) in &command.environment {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
            let text = format!("so large an environment cannot hold a variable called `{name}`");
            return Err(SandboxError::Refused(text));
        }
        lines.push(format!("export {name}={}", quoted(value)));
    }
    let mut words = command.arguments.iter().map(|word| quoted(word));
    let mut exec = "exec".to_owned();
    if let Some(program) = &command.program {
        let name = words.next().unwrap_or_default();
        exec = format!("exec -a {name} {}", quoted(program));
    }
    for word in words {
        exec.push(' ');
        exec.push_str(&word);
    }
    lines.push(exec);
    Ok(lines.join("\n"))
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bash_sees_what_was_meant() {
        let odd = "it's \"a\" $(b) \\ \n*";
        let command = Command {
            program: None,
            arguments: vec!["printf".into(), "%s|".into(), odd.into(), String::new()],
            environment: vec![("ODD".into(), odd.into())],
            directory: None,
            terminal: None,
            input: false,
            linger: None,
        };
        let source = source(&command).unwrap();
        assert_eq!(source.lines().next(), Some("rm -f -- \"$0\""));
        let said = std::process::Command::new("bash")
            .args(["-c", &format!("{source} \"$ODD\""), "/nowhere/file"])
            .output()
            .unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        assert_eq!(text, format!("{odd}||{odd}|"));
    }

    #[test]
    fn a_name_that_the_shell_would_run_is_refused() {
        let command = Command {
            program: None,
            arguments: vec!["true".into()],
            environment: vec![("A;id".into(), "x".into())],
            directory: None,
            terminal: None,
            input: false,
            linger: None,
        };
        assert!(source(&command).is_err());
    }
}
