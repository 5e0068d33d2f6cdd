//! Which request about files is done where; all of them block, so none runs on the supervisor's own thread.

use super::{
    files,
    responder::{Body, Responder},
    search,
};
use crate::protocol::{Answer, Failure, Request};
use std::path::Path;

/// Does a request that is about files.
pub(super) fn perform(request: Request, home: &Path, body: Body, to: &Responder) -> Answer {
    match request {
        Request::Read { path, limit } => files::read(home, &path, limit, to),
        Request::Write { path } => files::write(home, &path, body),
        Request::List { path } => files::list(home, &path, to),
        Request::MakeDirectory { path } => files::make_directory(home, &path),
        Request::Glob {
            root,
            pattern,
            limit,
        } => search::glob(home, &root, &pattern, limit, to),
        Request::Grep {
            pattern,
            path,
            glob,
            ignore_case,
            limit,
        } => {
            let search = search::Grep::new(&pattern, glob.as_deref(), ignore_case, limit)?;
            search.run(home, &path, to)
        }
        Request::Exec { .. }
        | Request::CloseShell { .. }
        | Request::Attempts(_)
        | Request::Start
        | Request::Connect { .. }
        | Request::Listening
        | Request::Stat { .. }
        | Request::Change(_)
        | Request::Growth { .. } => Err(Failure::Refused("not about files".into())),
    }
}
