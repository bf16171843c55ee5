//! What callers of the portal routes give. Fields that are missing are 400, as in the legacy system; wrong ones are 422.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use base::ids::PortalId;
use base::secret::Secret;
use portal::storage_state::{self, Hosts};
use portal::{Credentials, Document, EMODAL, Operation, Request};

const USERNAME_BYTES_MAX: usize = 320;
const PASSWORD_BYTES_MAX: usize = 1024;
const CAPTCHA_KEY_BYTES_MAX: usize = 256;
const CREDENTIALS: [(&str, usize); 3] = [
    ("username", USERNAME_BYTES_MAX),
    ("password", PASSWORD_BYTES_MAX),
    ("captcha_api_key", CAPTCHA_KEY_BYTES_MAX),
];
const TOTP_SECRET_BYTES_MAX: usize = 256;
/// Of a body that may have a state in it.
const STATE_BODY_BYTES_MAX: usize = 256 * 1024;
const ID_BYTES_MAX: usize = 128;

/// Of a portal's name.
const NAME_BYTES_MAX: usize = 32;

/// Whose session is wanted, and where.
pub struct GetInput {
    pub portal: String,
    pub credentials: Credentials,
    pub keep_alive: bool,
    /// Whether the calls of a login are told.
    pub debug: bool,
    /// What to try before a login: [`portal::browser::Jar::save`].
    pub storage_state: Option<Secret>,
}

/// An operation, and on which session.
pub struct OperationInput {
    pub session_id: Option<PortalId>,
    pub credentials: Option<Credentials>,
    pub keep_alive: bool,
    pub wizard_id: Option<String>,
    pub request: Request,
}

/// The body of `/get_session`: the credentials, and whether the session is to be kept alive, which it is if nothing is said.
pub async fn credentials<B: Backend>(ctx: &mut RequestContext<B>) -> Result<GetInput, Reason> {
    let now = ctx.now();
    let mut fields = ctx.fields_within(STATE_BODY_BYTES_MAX).await?;
    let portal = fields.optional_text("portal", NAME_BYTES_MAX).filter(|name| !name.is_empty());
    let portal = portal.unwrap_or_else(|| EMODAL.to_owned());
    let document = ctx.app.config.portals.document(&portal);
    if document.is_none() {
        fields.fault("portal", FieldFault::NotAllowed);
    }
    let credentials = required(&mut fields, document.is_none_or(Document::has_captcha));
    let keep_alive = fields.optional_bool("keep_alive").unwrap_or(true);
    let debug = fields.optional_bool("debug").unwrap_or(false);
    let state = fields.optional_value(storage_state::FIELD);
    // Of a portal that is not set up nobody knows what is its own: that is said then.
    let hosts = document.and_then(Hosts::of);
    let storage_state = state.zip(hosts).and_then(|(state, hosts)| {
        let read = storage_state::read(&state, &hosts, now);
        read.map(|jar| jar.save()).map_err(|wrong| fields.fault_at(wrong)).ok()
    });
    finish(fields)?;
    Ok(GetInput { portal, credentials, keep_alive, debug, storage_state })
}

/// The body of an operation: a session's id or credentials or both, and the operation's own fields.
pub async fn operation<B: Backend>(
    ctx: &mut RequestContext<B>,
    portal: &Document,
    operation: &Operation,
) -> Result<OperationInput, Reason> {
    let mut fields = ctx.fields().await?;
    let session_id =
        fields.optional_text("session_id", PortalId::BYTES_MAX).and_then(|id| PortalId::parse(&id));
    let has_captcha = portal.has_captcha();
    let all = needed(has_captcha).iter().all(|(name, _)| fields.is_filled(name));
    let credentials = if all || session_id.is_none() {
        Some(required(&mut fields, has_captcha))
    } else {
        // Some of them are no credentials, but a wrong one is wrong.
        for (name, max) in CREDENTIALS {
            fields.optional_text(name, max);
        }
        None
    };
    let keep_alive = fields.optional_bool("keep_alive").unwrap_or(false);
    let wizard_id = if operation.is_wizard() {
        fields.optional_text("appointment_session_id", ID_BYTES_MAX).filter(|id| !id.is_empty())
    } else {
        None
    };
    let own = fields.checked(|body| operation.check(body));
    finish(fields)?;
    let request = Request { operation: operation.name.clone(), fields: own, wizard: None };
    Ok(OperationInput { session_id, credentials, keep_alive, wizard_id, request })
}

/// Those that a login needs: without a captcha, no key for it.
fn needed(has_captcha: bool) -> &'static [(&'static str, usize)] {
    if has_captcha { &CREDENTIALS } else { CREDENTIALS.split_last().map_or(&[], |(_, others)| others) }
}

fn required(fields: &mut Fields, has_captcha: bool) -> Credentials {
    Credentials {
        username: fields.text("username", USERNAME_BYTES_MAX),
        password: Secret::new(fields.text("password", PASSWORD_BYTES_MAX)),
        captcha_api_key: Secret::new(if has_captcha {
            fields.text("captcha_api_key", CAPTCHA_KEY_BYTES_MAX)
        } else {
            fields.optional_text("captcha_api_key", CAPTCHA_KEY_BYTES_MAX).unwrap_or_default()
        }),
        totp_secret: totp_secret(fields),
    }
}

/// For one-time passwords: Base32, as it is shown to people.
fn totp_secret(fields: &mut Fields) -> Option<Secret> {
    let text = fields.optional_text("totp_secret", TOTP_SECRET_BYTES_MAX).filter(|text| !text.is_empty())?;
    let secret = Secret::new(text);
    if portal::totp::Passwords::new(&secret).is_none() {
        fields.fault("totp_secret", FieldFault::NotAllowed);
    }
    Some(secret)
}

/// Names every wrong field; if all that is wrong is that some are missing, it is that.
fn finish(fields: Fields) -> Result<(), Reason> {
    fields.finish().map_err(|reason| match reason {
        Reason::InvalidFields(faults) if faults.iter().all(|f| f.fault == FieldFault::Required) => {
            Reason::MissingFields(faults)
        }
        reason => reason,
    })
}
