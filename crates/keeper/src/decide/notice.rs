//! What new settings mean for what is held.

use super::{Context, plan};
use crate::call::Code;
use crate::state::{Account, Tokens};
use base::secret::Secret;

/// A token of another identity is not given out, from the first look on: nothing of it is kept but a refresh token of the same
/// lineage. Only a new secret of the same client leaves the identity as it is.
pub(super) fn notice_identity(account: &mut Account, tokens: &mut Option<Tokens>, c: &Context<'_>) {
    if !same_identity(account, c) {
        account.held = None;
        account.owner = None;
        (account.check_at, account.doubted_at, account.hold_until) = (None, None, None);
        account.check = None;
        account.warned = None;
        account.due = None;
        (account.approval_asked_at, account.approval_until) = (None, None);
        let lineage = c.provider.lineage();
        let kept = tokens.take().filter(|t| t.lineage == lineage).and_then(|t| t.refresh);
        account.extended = None;
        *tokens = kept.map(|refresh| Tokens {
            access: Secret::new(""),
            refresh: Some(refresh),
            lineage,
            extended: None,
        });
        account.changed(c.now);
    }
    if account.identity != c.identity {
        c.identity.clone_into(&mut account.identity);
    }
}

/// Whether what is held is of the identity that the settings have. An account of a release that kept none has that of its settings.
pub(crate) fn same_identity(account: &Account, c: &Context<'_>) -> bool {
    if account.identity.is_empty() {
        account.settings.is_empty() || account.settings == c.settings
    } else {
        account.identity == c.identity
    }
}

/// New settings are the change that a final refusal waits for. A refresh token of another lineage means nothing to them.
pub(super) fn notice_settings(account: &mut Account, tokens: &mut Option<Tokens>, c: &Context<'_>) {
    if account.settings == c.settings {
        return;
    }
    if !account.settings.is_empty() {
        if let Some(tokens) = tokens
            && tokens.lineage != c.provider.lineage()
        {
            tokens.refresh = None;
        }
        // It stays in trouble until they have been tried, so that what was told of is taken back when they work.
        // Nor is a slow try waited for: they may be what was wrong. An upstream that named a time has it.
        if let Some(trouble) = &mut account.trouble
            && !matches!(trouble.code, Code::Unreadable | Code::RateLimited)
        {
            (trouble.retry_at, trouble.refused) = (Some(c.now), None);
            account.changed(c.now);
        }
        account.taught_seconds = None;
        account.due = None;
        plan(account, c);
    }
    c.settings.clone_into(&mut account.settings);
}
