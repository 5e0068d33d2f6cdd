//! Codes that change with time, as a second proof: set up, confirmed, asked for, given up.

use crate::{
    Context, Error,
    access::within_own,
    users::{load, note, prove, still},
};
use domain::{
    access::{Area, Right},
    id::UserId,
    login::{Totp, User},
    secret::Secret,
};
use ports::{cipher::SealedPlace, store::BoxTx};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;

/// What an authenticator app is given.
pub struct Enrolment {
    /// The shared secret in base32, for typing.
    pub secret: Secret,
    /// The same as a URL, for scanning.
    pub url: Secret,
}

/// Begins: makes a secret that asks for nothing until it is confirmed.
#[tracing::instrument(name = "second_factor.begin", skip_all, fields(tenant.id = %context.tenant))]
pub async fn begin(context: &Context, password: &Secret) -> Result<Enrolment, Error> {
    let id = context.person()?;
    let proven = prove(context, id, "password", password).await?;
    let secret = context.platform.credentials.new_totp_secret();
    let tx = context.change().await?;
    let mut user = still(context, &tx, proven, "password").await?;
    if user.has_totp() {
        return Err(Error::conflict(
            "totp_active",
            "there is a second factor already; remove it before you set up another",
        ));
    }
    user.totp = Some(Totp {
        secret: context.platform.cipher.seal(place(&user), &secret),
        confirmed_at: None,
        last_step: 0,
        recovery: Vec::new(),
    });
    tx.users().update(&user).await?;
    note(context, &tx, "user.totp_begun", (None, Some(&user))).await?;
    tx.commit().await?;
    let url = format!(
        "otpauth://totp/Nitejar:{}?secret={}&issuer=Nitejar&algorithm=SHA1&digits=6&period=30",
        percent(&user.email),
        secret.expose()
    );
    Ok(Enrolment {
        secret,
        url: Secret::new(url),
    })
}

/// Confirms with a first code, and gives the recovery codes: this once.
#[tracing::instrument(name = "second_factor.confirm", skip_all, fields(tenant.id = %context.tenant))]
pub async fn confirm(context: &Context, code: &str) -> Result<Vec<Secret>, Error> {
    let id = context.person()?;
    let tx = context.change().await?;
    let mut user = load(context, &tx, id).await?;
    let Some(totp) = user.totp.clone().filter(|totp| totp.confirmed_at.is_none()) else {
        return Err(Error::conflict(
            "totp_not_begun",
            "there is nothing to confirm; begin with POST /me/totp",
        ));
    };
    let secret = open(context, &user, &totp)?;
    let credentials = &context.platform.credentials;
    let Some(step) = credentials.totp_step(&secret, code.trim(), context.now()) else {
        return Err(Error::invalid(
            "code",
            "does not fit; check that the clocks of both devices are right",
        ));
    };
    let codes: Vec<Secret> = (0..RECOVERY_CODES)
        .map(|_| credentials.new_recovery_code())
        .collect();
    let hash = |code| context.platform.secrets.hash(code);
    user.totp = Some(Totp {
        confirmed_at: Some(context.now()),
        last_step: step,
        recovery: codes.iter().map(hash).collect(),
        ..totp
    });
    tx.users().update(&user).await?;
    note(context, &tx, "user.totp_confirmed", (None, Some(&user))).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Gives the caller's second factor up.
#[tracing::instrument(name = "second_factor.remove", skip_all, fields(tenant.id = %context.tenant))]
pub async fn remove(context: &Context, password: &Secret) -> Result<(), Error> {
    let id = context.person()?;
    let proven = prove(context, id, "password", password).await?;
    let tx = context.change().await?;
    let user = still(context, &tx, proven, "password").await?;
    drop_of(context, tx, user).await
}

/// Takes the second factor from somebody who lost it.
#[tracing::instrument(name = "second_factor.reset", skip_all, fields(tenant.id = %context.tenant, user.id = %id))]
pub async fn reset(context: &Context, id: UserId) -> Result<(), Error> {
    context.authorise(Area::People, Right::Administer)?;
    let tx = context.change().await?;
    let user = load(context, &tx, id).await?;
    within_own(context, user.role, None)?;
    drop_of(context, tx, user).await
}

async fn drop_of(context: &Context, tx: BoxTx, mut user: User) -> Result<(), Error> {
    let before = user.clone();
    user.totp = None;
    tx.users().update(&user).await?;
    let states = (Some(&before), Some(&user));
    note(context, &tx, "user.totp_removed", states).await?;
    Ok(tx.commit().await?)
}

/// Refuses unless the code is good for this user now: the six digits of this moment, or a recovery code. Either is
/// good once. Of a user without a second factor nothing is asked.
pub(crate) async fn check(
    context: &Context,
    tx: &BoxTx,
    user: &User,
    code: Option<&str>,
) -> Result<(), Error> {
    let Some(totp) = user.totp.as_ref().filter(|_| user.has_totp()) else {
        return Ok(());
    };
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        return Err(Error::LoginRefused {
            code: "second_factor_required",
            message: "a code of the second factor is needed as well".to_owned(),
        });
    };
    let secret = open(context, user, totp)?;
    let credentials = &context.platform.credentials;
    let mut after = totp.clone();
    match credentials.totp_step(&secret, code, context.now()) {
        Some(step) if step > totp.last_step => after.last_step = step,
        Some(_seen) => return Err(refused()),
        None => {
            let hash = context
                .platform
                .secrets
                .hash(&Secret::new(code.to_lowercase()));
            after.recovery.retain(|left| *left != hash);
            if after.recovery.len() == totp.recovery.len() {
                return Err(refused());
            }
        }
    }
    // Of two that come with the same code at once, one gets in.
    if tx.users().spend_code(user, &after).await? {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Refused; with what, it does not say.
pub(crate) fn refused() -> Error {
    Error::LoginRefused {
        code: "invalid_credentials",
        message: "address, password or code are not right".to_owned(),
    }
}

fn open(context: &Context, user: &User, totp: &Totp) -> Result<Secret, Error> {
    let cipher = &context.platform.cipher;
    let opened = cipher.open(place(user), &totp.secret);
    opened.map_err(|error| Error::Internal(Box::new(error)))
}

fn place(user: &User) -> SealedPlace<'static> {
    SealedPlace {
        tenant_id: user.tenant_id,
        table: "users",
        column: "totp_secret",
        row: user.id.as_uuid(),
    }
}

/// An address as part of a URL.
fn percent(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte);
    let encode = |byte| match byte {
        byte if keep(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
