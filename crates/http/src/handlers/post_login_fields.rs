//! What callers of the post-login routes give.

use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::{FieldFault, Reason};
use crate::json::Fields;
use base::secret::Secret;
use session::external::{
    CHANNEL_BYTES_MAX, CIF_BYTES_MAX, Channel, ExternalToken, Subject, TOKEN_BYTES_MAX, is_cif, is_token,
};

const REFRESH_TOKEN_BYTES_MAX: usize = 4096;
const CUSTOMER_TEXT_BYTES_MAX: usize = 500;

/// What a beginning needs, read and checked.
pub struct Init {
    pub subject: Subject,
    pub external: ExternalToken,
    pub channel: Channel,
}

/// The body of `init-session`, and the channel that it names.
pub async fn init<B: Backend>(ctx: &mut RequestContext<B>) -> Result<Init, Reason> {
    let mut fields = ctx.fields().await?;
    if !fields.has("data") {
        return Err(fields.without("data"));
    }
    let mut data = fields.object("data");
    let (cif, token) = customer_and_token(&mut data, "data.cif", "data.tokenKey");
    // Read for their types only: nothing of it is kept.
    let mut customer = data.object("data.basicCustomerInfo");
    for field in [
        "data.basicCustomerInfo.customer_id",
        "data.basicCustomerInfo.customer_name",
        "data.basicCustomerInfo.customer_type",
    ] {
        customer.optional_text(field, CUSTOMER_TEXT_BYTES_MAX);
    }
    let mut payload = data.object("data.payload");
    let id = payload.optional_text_or_number("data.payload.channelId", CHANNEL_BYTES_MAX);
    data.absorb(customer);
    data.absorb(payload);
    fields.absorb(data);
    fields.finish()?;
    found(ctx, id, cif, token)
}

/// The same from the parameters of a token exchange.
pub fn exchange<B: Backend>(ctx: &RequestContext<B>, mut fields: Fields) -> Result<Init, Reason> {
    let (cif, token) = customer_and_token(&mut fields, "cif", "subject_token");
    let id = fields.optional_text("channel_id", CHANNEL_BYTES_MAX);
    fields.finish()?;
    found(ctx, id, cif, token)
}

fn customer_and_token(fields: &mut Fields, cif: &'static str, token: &'static str) -> (String, String) {
    let number = fields.text(cif, CIF_BYTES_MAX);
    if !number.is_empty() && !is_cif(&number) {
        fields.fault(cif, FieldFault::NotAllowed);
    }
    let external = fields.text(token, TOKEN_BYTES_MAX);
    if !external.is_empty() && !is_token(&external) {
        fields.fault(token, FieldFault::NotAllowed);
    }
    (number, external)
}

fn found<B: Backend>(
    ctx: &RequestContext<B>,
    id: Option<String>,
    cif: String,
    token: String,
) -> Result<Init, Reason> {
    let id = id.filter(|id| !id.trim().is_empty()).ok_or(Reason::InvalidChannel)?;
    let channel = ctx.app.config.post_login.channels.get(&id).cloned();
    let channel = channel.ok_or_else(|| Reason::ChannelNotFound(id.clone()))?;
    let subject = Subject { business_unit: channel.business_unit.clone(), cif };
    let external = ExternalToken { channel: id, token: Secret::new(token) };
    Ok(Init { subject, external, channel })
}

/// The body of `renew-token`: the refresh token.
pub async fn refresh_token<B: Backend>(ctx: &mut RequestContext<B>) -> Result<String, Reason> {
    let mut fields = ctx.fields().await?;
    let mut data = fields.object("data");
    let token = data.optional_text("data.refreshToken", REFRESH_TOKEN_BYTES_MAX);
    fields.absorb(data);
    fields.finish()?;
    token.filter(|token| !token.is_empty()).ok_or(Reason::RefreshTokenRequired)
}
