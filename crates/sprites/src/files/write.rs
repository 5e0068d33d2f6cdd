//! Writing a file whole: by one request, or, above what a request takes, through a program that
//! writes a temporary file beside it and puts that in its place once it is complete.

use super::failure;
use crate::{
    api::Twice,
    random::secret_text,
    run::{Ran, collect, feed, shutting_down},
    sprite::Place,
    wire::{WRITE_LIMIT, file::WriteQuery},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use ports::sandbox::{Attached, Exit, SandboxError};
use reqwest::Method;

const MESSAGES: usize = 64 << 10;

/// `$1` is the file, `$2` what the temporary one is called, `$3` how many bytes come. A link stays
/// a link, and the mode of a file that is there stays. It says when it is ready for the bytes.
const SCRIPT: &str = r#"
fail() { printf '%s\n' "$1" >&2; exit 9; }
target=$1
if [ -L "$target" ]; then
  target=$(readlink -f -- "$target" && printf x) || fail 'the link leads nowhere'
  target=${target%?x}
fi
[ -d "$target" ] && fail 'it is a directory'
[ -e "$target" ] && [ ! -f "$target" ] && fail 'not a regular file'
folder=${target%/*}
mkdir -p -- "$folder/" || exit 1
temporary=$folder/$2
trap 'rm -f -- "$temporary"' EXIT
(umask 022 && exec 3>"$temporary" && printf ready && cat >&3) || exit 1
size=$(wc -c < "$temporary")
[ "$size" -eq "$3" ] || fail "only $size of $3 bytes came"
if [ -e "$target" ]; then chmod --reference="$target" -- "$temporary" || exit 1; fi
sync -- "$temporary" && mv -fT -- "$temporary" "$target"
"#;

/// Writes it.
pub(crate) async fn write(place: &Place, path: &str, content: Bytes) -> Result<(), SandboxError> {
    if content.len() > WRITE_LIMIT {
        return upload(place, path, content).await;
    }
    let query = WriteQuery {
        path: place.absolute(path),
        working_dir: Some(place.home.clone()),
        mode: None,
        mkdir_parents: Some(true),
    };
    let request = place
        .request(Method::PUT, "write")
        .query(&query)
        .body(content);
    let written = place.door.api.send(request, Twice::Same).await;
    written
        .map(drop)
        .map_err(|error| failure(place, path, error))
}

async fn upload(place: &Place, path: &str, content: Bytes) -> Result<(), SandboxError> {
    let whole = place.absolute(path);
    let temporary = format!(".upload-{}", secret_text()?);
    let length = content.len().to_string();
    let arguments = ["sh", "-c", SCRIPT, "sh", &whole, &temporary, &length];
    let mut attached = place.begin(&arguments, true).await?;
    // One that refuses ends at once, and would not read what was sent meanwhile.
    let mut begun = Ran::default();
    let ran = if ready(&mut attached, &mut begun).await? {
        let Attached { input, output, .. } = attached;
        feed(input, content, collect(output, begun, MESSAGES)).await?
    } else {
        begun
    };
    if ran.exit == Some(Exit::Code(0)) {
        return Ok(());
    }
    let text = format!("{path}: {}", ran.complaint());
    Err(SandboxError::Refused(text))
}

/// Waits until the program says that it is ready, or ends.
async fn ready(attached: &mut Attached, ran: &mut Ran) -> Result<bool, SandboxError> {
    while let Some(event) = attached.output.next().await {
        if ran.take(event?, MESSAGES)? {
            return Ok(false);
        }
        if !ran.stdout.is_empty() {
            return Ok(true);
        }
    }
    Err(shutting_down())
}
