//! What a person configures, checked field by field. Error texts name the field and the way out
//! and never repeat a value, which may be a token in the wrong place.

use domain::secret::Secret;
use ports::channel::{ChannelSettings, IngressMode, InvalidSettings};
use reqwest::Url;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

pub(crate) const SECRET_FIELDS: &[&str] = &["bot_token", "webhook_secret"];
const PUBLIC_FIELDS: &[&str] = &["mode", "api_base_url", "allowed_chat_ids", "allow_bots"];
const DEFAULT_BASE_URL: &str = "https://api.telegram.org";
/// Telegram's limit on the secret it repeats in every webhook call.
const LONGEST_WEBHOOK_SECRET: usize = 256;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long Telegram holds a poll open when there is no news; whole seconds.
    pub poll: Duration,
    /// One call, answer included.
    pub request: Duration,
    /// One file.
    pub download: Duration,
    /// How long the later parts of a long reply may wait in all before the reply counts as
    /// partly sent.
    pub patience: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(25),
            request: Duration::from_secs(30),
            download: Duration::from_mins(5),
            patience: Duration::from_mins(1),
        }
    }
}

/// The settings of one bot, ready for use.
pub(crate) struct BotSettings {
    pub(crate) token: Secret,
    pub(crate) webhook_secret: Secret,
    pub(crate) mode: IngressMode,
    pub(crate) base_url: Url,
    pub(crate) allowed: AllowedChats,
    /// Whether what other bots write is taken in.
    pub(crate) allow_bots: bool,
}

/// The chats a bot listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AllowedChats {
    All,
    /// Ids as text, and `@names` in lower case.
    Only(Vec<String>),
}

impl AllowedChats {
    pub(crate) fn allows(&self, id: i64, username: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Only(chats) => {
                let id = id.to_string();
                let name = username.map(|name| format!("@{}", name.to_lowercase()));
                chats
                    .iter()
                    .any(|chat| *chat == id || Some(chat) == name.as_ref())
            }
        }
    }
}

/// Checks a merged configuration and fills in defaults.
pub(crate) fn check(
    mut config: Map<String, Value>,
    generate: &dyn Fn() -> Secret,
) -> Result<ChannelSettings, InvalidSettings> {
    let known = |field: &str| SECRET_FIELDS.contains(&field) || PUBLIC_FIELDS.contains(&field);
    if let Some(field) = config.keys().find(|field| !known(field)) {
        let fields = [SECRET_FIELDS, PUBLIC_FIELDS].concat().join(", ");
        let message = format!("is not a setting of Telegram; the settings are {fields}");
        return Err(invalid(field, message));
    }
    let token = secret(config.remove("bot_token"), "bot_token")?.ok_or_else(|| {
        let message = "is required; open @BotFather in Telegram, send /newbot and copy the token";
        invalid("bot_token", message)
    })?;
    check_token(&token)?;
    let webhook_secret = match secret(config.remove("webhook_secret"), "webhook_secret")? {
        Some(given) => given,
        None => generate(),
    };
    check_webhook_secret(&webhook_secret)?;
    let mode = text(config.remove("mode"), "mode")?.unwrap_or_else(|| "polling".to_owned());
    parse_mode(&mode)?;
    let base_url = text(config.remove("api_base_url"), "api_base_url")?;
    let base_url = base_url.unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
    parse_base_url(&base_url)?;
    let allowed = config.remove("allowed_chat_ids").unwrap_or(Value::Null);
    parse_allowed(&allowed)?;
    let allow_bots = parse_allow_bots(config.remove("allow_bots").as_ref())?;
    let public = [
        ("mode", json!(mode)),
        ("api_base_url", json!(base_url)),
        ("allowed_chat_ids", allowed),
        ("allow_bots", json!(allow_bots)),
    ];
    Ok(ChannelSettings {
        public: public
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect(),
        secrets: BTreeMap::from([
            ("bot_token".to_owned(), token),
            ("webhook_secret".to_owned(), webhook_secret),
        ]),
    })
}

/// Reads settings that were checked when they were stored.
pub(crate) fn read(settings: &ChannelSettings) -> Result<BotSettings, InvalidSettings> {
    let secret = |field: &str| {
        let found = settings.secrets.get(field).cloned();
        found.ok_or_else(|| invalid(field, "is missing; enter it again"))
    };
    let public = |field: &str| settings.public.get(field).cloned();
    let (token, webhook_secret) = (secret("bot_token")?, secret("webhook_secret")?);
    check_token(&token)?;
    check_webhook_secret(&webhook_secret)?;
    let mode = text(public("mode"), "mode")?;
    let base_url = text(public("api_base_url"), "api_base_url")?;
    Ok(BotSettings {
        token,
        webhook_secret,
        mode: parse_mode(mode.as_deref().unwrap_or("polling"))?,
        base_url: parse_base_url(base_url.as_deref().unwrap_or(DEFAULT_BASE_URL))?,
        allowed: parse_allowed(&public("allowed_chat_ids").unwrap_or(Value::Null))?,
        allow_bots: parse_allow_bots(public("allow_bots").as_ref())?,
    })
}

fn invalid(field: &str, message: impl Into<String>) -> InvalidSettings {
    InvalidSettings {
        field: field.to_owned(),
        message: message.into(),
    }
}

fn text(value: Option<Value>, field: &str) -> Result<Option<String>, InvalidSettings> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(field, "must be a string")),
    }
}

fn secret(value: Option<Value>, field: &str) -> Result<Option<Secret>, InvalidSettings> {
    Ok(text(value, field)?.map(Secret::new))
}

/// Lenient: stand-ins of the Bot API use tokens of any shape, as long as they fit into a path.
fn check_token(token: &Secret) -> Result<(), InvalidSettings> {
    let breaks_path = |c: char| c.is_whitespace() || c.is_control() || "/?#\\".contains(c);
    if token.is_empty() || token.expose().contains(breaks_path) {
        let message = "must be the token @BotFather shows, like 123456:ABC-DEF, without spaces, slashes, ? or #";
        return Err(invalid("bot_token", message));
    }
    Ok(())
}

fn check_webhook_secret(secret: &Secret) -> Result<(), InvalidSettings> {
    let text = secret.expose();
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if text.is_empty() || text.len() > LONGEST_WEBHOOK_SECRET || !text.chars().all(allowed) {
        let message = "must be 1 to 256 characters of A-Z, a-z, 0-9, _ and -; leave it out to have one generated";
        return Err(invalid("webhook_secret", message));
    }
    Ok(())
}

fn parse_mode(mode: &str) -> Result<IngressMode, InvalidSettings> {
    match mode {
        "polling" => Ok(IngressMode::Polling),
        "webhook" => Ok(IngressMode::Webhook),
        _ => Err(invalid("mode", "must be `polling` or `webhook`")),
    }
}

fn parse_base_url(text: &str) -> Result<Url, InvalidSettings> {
    let refused = |message: &str| invalid("api_base_url", message);
    let form = "must be a URL like https://api.telegram.org";
    let url = Url::parse(text).map_err(|_not_a_url| refused(form))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refused("must start with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "must not contain a name or password: it is shown to people",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("must not contain ? or #"));
    }
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    let is_link_local = match address {
        Ok(IpAddr::V4(v4)) => v4.is_link_local(),
        Ok(IpAddr::V6(v6)) => v6.is_unicast_link_local(),
        Err(_a_name) => false,
    };
    if is_link_local {
        return Err(refused(
            "must not be a link-local address: cloud metadata services live there",
        ));
    }
    Ok(url)
}

/// Absent and null are no: bots that answer bots are wanted by few.
fn parse_allow_bots(value: Option<&Value>) -> Result<bool, InvalidSettings> {
    match value {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(allow)) => Ok(*allow),
        Some(_) => Err(invalid("allow_bots", "must be true or false")),
    }
}

fn parse_allowed(value: &Value) -> Result<AllowedChats, InvalidSettings> {
    let refused = || {
        let message = "must be a list of chat ids like [123456789, -1001234567890] or \"@name\"; null = all chats";
        invalid("allowed_chat_ids", message)
    };
    let Value::Array(chats) = value else {
        return value
            .is_null()
            .then_some(AllowedChats::All)
            .ok_or_else(refused);
    };
    let chats = chats.iter().map(|chat| match chat {
        Value::Number(id) => id.as_i64().map(|id| id.to_string()),
        Value::String(text) => {
            let text = text.trim();
            let is_name = text.len() > 1 && text.starts_with('@');
            let id = text.parse::<i64>().ok().map(|id| id.to_string());
            id.or_else(|| is_name.then(|| text.to_lowercase()))
        }
        _ => None,
    });
    let chats: Option<Vec<String>> = chats.collect();
    chats.map(AllowedChats::Only).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(config: Value) -> Result<ChannelSettings, InvalidSettings> {
        let Value::Object(config) = config else {
            panic!("a configuration is an object");
        };
        check(config, &|| Secret::new("generated-secret"))
    }

    #[test]
    fn a_token_alone_is_enough() {
        let settings = checked(json!({"bot_token": "1:abc", "webhook_secret": null})).expect("ok");
        let public = json!({
            "mode": "polling", "api_base_url": DEFAULT_BASE_URL, "allowed_chat_ids": null, "allow_bots": false,
        });
        assert_eq!(Value::Object(settings.public.clone()), public);
        let secrets: Vec<_> = settings.secrets.values().map(Secret::expose).collect();
        assert_eq!(secrets, ["1:abc", "generated-secret"]);
        assert_eq!(
            read(&settings).expect("readable").mode,
            IngressMode::Polling
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        let token = "canary:token";
        let wrong = [
            (json!({}), "bot_token"),
            (json!({"bot_token": ""}), "bot_token"),
            (json!({"bot_token": 5}), "bot_token"),
            (json!({"bot_token": "canary:token/getMe"}), "bot_token"),
            (json!({"bot_token": token, "bot_tokn": "x"}), "bot_tokn"),
            (json!({"bot_token": token, "mode": token}), "mode"),
            (
                json!({"bot_token": token, "webhook_secret": "canary:token"}),
                "webhook_secret",
            ),
            (
                json!({"bot_token": token, "webhook_secret": ""}),
                "webhook_secret",
            ),
            (
                json!({"bot_token": token, "api_base_url": token}),
                "api_base_url",
            ),
            (
                json!({"bot_token": token, "api_base_url": "ftp://x"}),
                "api_base_url",
            ),
            (
                json!({"bot_token": token, "api_base_url": "https://u:canary:token@x"}),
                "api_base_url",
            ),
            (
                json!({"bot_token": token, "api_base_url": "http://169.254.169.254/"}),
                "api_base_url",
            ),
            (
                json!({"bot_token": token, "api_base_url": "http://[fe80::1]/"}),
                "api_base_url",
            ),
            (
                json!({"bot_token": token, "allowed_chat_ids": 5}),
                "allowed_chat_ids",
            ),
            (
                json!({"bot_token": token, "allowed_chat_ids": [1.5]}),
                "allowed_chat_ids",
            ),
            (
                json!({"bot_token": token, "allowed_chat_ids": ["name"]}),
                "allowed_chat_ids",
            ),
            (
                json!({"bot_token": token, "allow_bots": "yes"}),
                "allow_bots",
            ),
        ];
        for (config, field) in wrong {
            let error = checked(config.clone())
                .err()
                .unwrap_or_else(|| panic!("{config}"));
            assert_eq!(error.field, field, "{config}");
            assert!(!error.message.contains("canary"), "{error}");
        }
    }

    #[test]
    fn chats_are_allowed_by_id_in_any_spelling_and_by_name() {
        let settings =
            checked(json!({"bot_token": "t", "allowed_chat_ids": [-100, "42", "@Team"]}));
        let allowed = read(&settings.expect("ok")).expect("readable").allowed;
        assert!(allowed.allows(-100, None));
        assert!(allowed.allows(42, None));
        assert!(allowed.allows(7, Some("team")));
        assert!(!allowed.allows(7, Some("other")));
        let nobody = parse_allowed(&json!([])).expect("a list");
        assert!(!nobody.allows(1, None));
    }
}
