//! The enums of the wire. Each is one word, taken from the domain's own list, so that document,
//! answers and checks cannot drift apart.

use domain::{
    access, agent, approval, audit, channel, effect, integration, job, login, message, model,
    provider, queue, sprite, work,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

macro_rules! wire_words {
    ($($name:ident = $words:path: $doc:literal),* $(,)?) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(crate) $words);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = <$words>::ALL.iter().map(|word| word.as_str());
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($doc))
                    .enum_values(Some(words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

wire_words!(
    ApprovalKind = approval::ApprovalKind: "What an approval holds: a reply that waits as a draft, or a job that waits for leave to do something.",
    ApprovalStatus = approval::ApprovalStatus: "Where an approval stands; all but pending are final, and expired counts as denied.",
    AuditActorKind = audit::AuditActorKind: "What kind of somebody changed something.",
    AttachmentKind = channel::AttachmentKind: "What an attachment is.",
    BackgroundStatus = sprite::BackgroundStatus: "Where a background process stands.",
    ChannelType = channel::ChannelType: "The type of a channel; `web` is built in.",
    ChatKind = channel::ChatKind: "One person and the integration, or several people.",
    DeadReason = effect::DeadReason: "Why an effect failed for good.",
    DecidedBy = work::DecidedBy: "What settled a decision.",
    EffectStatus = effect::EffectStatus: "Where an effect stands; `unknown` means that nobody knows whether it arrived.",
    Health = integration::Health: "What is known of a connection.",
    JobStatus = job::JobStatus: "Where a job stands; completed, failed and cancelled are final.",
    LinkKind = login::LinkKind: "What a one-time link is for.",
    MessageRole = message::Role: "Whose turn a message is.",
    ModelCallPurpose = model::ModelCallPurpose: "What a model call was for.",
    ModelCallStatus = model::ModelCallStatus: "Where a model call stands.",
    NetworkAction = sprite::NetworkAction: "Whether a host may be reached.",
    Origin = message::Origin: "Where a part came from.",
    ProviderHealth = provider::ProviderHealth: "What the last test of a provider found.",
    ProviderKind = provider::ProviderKind: "What a provider speaks: Anthropic Messages, Chat Completions as OpenAI and most others serve it, or the built-in model without AI.",
    ReplyPolicy = agent::ReplyPolicy: "Whether replies are sent, or held until a person releases them.",
    Right = access::Right: "How much may be done; each includes the ones before.",
    Role = access::Role: "What a person or a token may do.",
    SandboxTier = sprite::SandboxTier: "How well a sandbox is walled off, weakest first.",
    Steering = queue::Steering: "What becomes of messages that arrive while an agent works: the running job takes them over, each gets a job of its own afterwards, or all of them become one.",
    SpriteSessionStatus = sprite::SpriteSessionStatus: "Where a shell stands.",
    TokenKind = access::TokenKind: "For whom a token is: a person, and may what they may; or a program, with a role of its own.",
    ToolCallStatus = message::ToolCallStatus: "Where a tool call stands.",
    Trust = message::Trust: "How far a part may be believed.",
    Verdict = work::Verdict: "Whether an agent takes a job.",
    WorkItemStatus = work::WorkItemStatus: "How a work item stands.",
);
