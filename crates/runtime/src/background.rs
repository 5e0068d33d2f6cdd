//! Commands that go on when their job has ended. A row is written before a command is started, so that
//! none runs of which nobody knows, and it belongs to the conversation.

use crate::{engine::Engine, job::Run};
use async_trait::async_trait;
use domain::{
    id::BackgroundProcessId,
    sprite::{BackgroundProcess, BackgroundStatus},
};
use ports::{
    sandbox::{Command, SandboxError, Sprite},
    store::StoreError,
    tool::BackgroundAccess,
};
use services::background;
use std::sync::Arc;

/// The most that one conversation may leave running.
const RUNNING: usize = 16;

/// What a job's tools may do with the commands of its conversation.
pub(crate) struct Background<'r> {
    pub(crate) run: &'r Run,
}

#[async_trait]
impl BackgroundAccess for Background<'_> {
    async fn start(
        &self,
        command: &str,
        directory: Option<&str>,
    ) -> Result<BackgroundProcess, SandboxError> {
        let running = |process: &&BackgroundProcess| process.status == BackgroundStatus::Running;
        if self.list().await?.iter().filter(running).count() >= RUNNING {
            let text = format!(
                "{RUNNING} background processes of this conversation run already; stop one first"
            );
            return Err(SandboxError::Refused(text));
        }
        let mut process = self.row(command);
        self.write(&process, Write::Insert).await?;
        let attached = self.sprite().start(shell_command(command, directory)).await;
        match attached {
            Ok(attached) => process.process = Some(attached.process.id.0),
            Err(error) => {
                process.status = BackgroundStatus::Lost;
                process.output = Some(error.to_string());
                process.ended_at = Some(self.engine().now());
                self.write(&process, Write::Update).await?;
                return Err(error);
            }
        }
        self.write(&process, Write::Update).await?;
        Ok(process)
    }

    async fn list(&self) -> Result<Vec<BackgroundProcess>, SandboxError> {
        let job = &self.run.job;
        let tx = self.engine().read(job.tenant_id).await.map_err(failed)?;
        let conversation = Some(job.conversation_id);
        let known = tx
            .background_processes()
            .of_agent(job.tenant_id, job.agent_id, conversation, background::SHOWN)
            .await;
        drop(tx);
        let mut known = known.map_err(failed)?;
        self.observe(&mut known).await?;
        Ok(known)
    }

    async fn output(
        &self,
        process: BackgroundProcessId,
    ) -> Result<(BackgroundProcess, String), SandboxError> {
        let process = self.find(process).await?;
        let output = background::last_output(self.sprite().as_ref(), &process).await;
        Ok((process, output.unwrap_or_default()))
    }

    async fn stop(&self, process: BackgroundProcessId) -> Result<BackgroundProcess, SandboxError> {
        let mut process = self.find(process).await?;
        let now = self.engine().now();
        background::end(self.sprite().as_ref(), &mut process, now).await?;
        self.write(&process, Write::Update).await?;
        Ok(process)
    }
}

#[derive(Clone, Copy)]
enum Write {
    Insert,
    Update,
}

impl Background<'_> {
    fn engine(&self) -> &Engine {
        &self.run.engine
    }

    fn sprite(&self) -> Arc<dyn Sprite> {
        let job = &self.run.job;
        background::sprite_of(
            &self.engine().platform.sandboxes,
            job.tenant_id,
            job.agent_id,
        )
    }

    fn row(&self, command: &str) -> BackgroundProcess {
        let job = &self.run.job;
        BackgroundProcess {
            id: BackgroundProcessId::from_uuid(self.engine().platform.ids.next()),
            tenant_id: job.tenant_id,
            agent_id: job.agent_id,
            conversation_id: job.conversation_id,
            job_id: job.id,
            process: None,
            command: command.to_owned(),
            status: BackgroundStatus::Running,
            exit_code: None,
            output: None,
            created_at: self.engine().now(),
            ended_at: None,
        }
    }

    /// One of this conversation; those of others are as good as absent.
    async fn find(&self, id: BackgroundProcessId) -> Result<BackgroundProcess, SandboxError> {
        let job = &self.run.job;
        let tx = self.engine().read(job.tenant_id).await.map_err(failed)?;
        let found = tx.background_processes().find(job.tenant_id, id).await;
        drop(tx);
        let ours = |process: &BackgroundProcess| {
            process.agent_id == job.agent_id && process.conversation_id == job.conversation_id
        };
        let found = found.map_err(failed)?.filter(ours);
        let mut found = found.ok_or_else(|| {
            SandboxError::Refused(format!(
                "There is no background process {id} in this conversation; list_processes shows those there are."
            ))
        })?;
        self.observe(std::slice::from_mut(&mut found)).await?;
        Ok(found)
    }

    async fn observe(&self, known: &mut [BackgroundProcess]) -> Result<(), SandboxError> {
        let now = self.engine().now();
        for process in background::observe(self.sprite().as_ref(), known, now).await? {
            self.write(&process, Write::Update).await?;
        }
        Ok(())
    }

    async fn write(&self, process: &BackgroundProcess, write: Write) -> Result<(), SandboxError> {
        let lane = self.run.lane;
        let written = async {
            let tx = self.engine().write(lane.tenant_id).await?;
            tx.fenced(lane.tenant_id, lane.id, lane.fence).await?;
            match write {
                Write::Insert => tx.background_processes().insert(process).await?,
                Write::Update => tx.background_processes().update(process).await?,
            }
            tx.commit().await
        };
        written.await.map_err(failed)
    }
}

/// Bash, as in the job's own shell, and for as long as it takes.
fn shell_command(command: &str, directory: Option<&str>) -> Command {
    Command {
        program: None,
        arguments: ["bash", "-c", command].map(str::to_owned).to_vec(),
        environment: Vec::new(),
        directory: directory.map(str::to_owned),
        terminal: None,
        input: false,
        linger: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn failed(error: StoreError) -> SandboxError {
    SandboxError::Unavailable(error.to_string())
}
