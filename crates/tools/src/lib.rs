//! The tools every agent has: a shell and files in its own sprite, and what people attached.
//!
//! A tool takes JSON from a model, does one thing in the sandbox and answers in words the model
//! can act on. It decides nothing about who may call it, and changes nothing but the sandbox.

mod action;
mod arguments;
mod background;
mod bash;
mod checkout_repository;
mod create_directory;
mod diff;
mod edit_file;
mod glob;
mod grep;
mod list_directory;
mod output;
mod read_file;
mod request_approval;
mod save_attachment;
mod write_file;

use action::Checked;
use ports::tool::Tool;
use std::sync::Arc;

/// The built-in tools, sorted by name.
pub fn standard() -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(Checked::new(bash::Bash)),
        Arc::new(Checked::new(checkout_repository::CheckoutRepository)),
        Arc::new(Checked::new(create_directory::CreateDirectory)),
        Arc::new(Checked::new(edit_file::EditFile)),
        Arc::new(Checked::new(glob::Glob)),
        Arc::new(Checked::new(grep::Grep)),
        Arc::new(Checked::new(list_directory::ListDirectory)),
        Arc::new(Checked::new(background::ListProcesses)),
        Arc::new(Checked::new(read_file::ReadFile)),
        Arc::new(Checked::new(background::ReadProcessOutput)),
        Arc::new(Checked::new(request_approval::RequestApproval)),
        Arc::new(Checked::new(save_attachment::SaveAttachment)),
        Arc::new(Checked::new(background::StartProcess)),
        Arc::new(Checked::new(background::StopProcess)),
        Arc::new(Checked::new(write_file::WriteFile)),
    ]
}
