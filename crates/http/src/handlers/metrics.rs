//! `GET /metrics`: how the deployment is, as Prometheus reads it. What is counted by the request is not here, since an instance knows
//! its own requests only: [`base::ports::Log::answered`].

use super::health::{Known, counts};
use super::service_auth::ServiceCaller;
use crate::backend::Backend;
use crate::context::RequestContext;
use crate::error::Reason;
use crate::reply::Reply;
use base::clock::seconds;
use keeper::providers;
use portal::registry::BrowserTime;
use std::fmt::Write as _;

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Lines of the text format.
#[derive(Default)]
struct Text(String);

impl Text {
    /// A gauge, with a sample for each label.
    fn gauge(&mut self, name: &str, help: &str, samples: &[(&str, u64)]) {
        self.begin(name, help, "gauge");
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }

    fn begin(&mut self, name: &str, help: &str, kind: &str) {
        // To a `String` it cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

/// Asks what `/health` asks, as often as that. What cannot be asked is left out, and `sallyport_known` says so: a gauge that is not there
/// is no zero.
pub async fn metrics<B: Backend>(ctx: &RequestContext<B>, _: &ServiceCaller) -> Result<Reply, Reason> {
    let known = counts(ctx, ctx.now()).await;
    let mut text = Text::default();
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    text.gauge("sallyport_info", "The release that answers.", &[(version, 1)]);
    text.gauge(
        "sallyport_known",
        "Whether the index of upstream accounts and the registry of portal sessions could be asked.",
        &[("", u64::from(known.is_some()))],
    );
    upstream_accounts(&mut text, ctx, known.as_ref());
    if let Some(Known { portals, .. }) = &known {
        text.gauge(
            "sallyport_portal_sessions",
            "Live portal sessions; the persistent ones are among the active.",
            &[("{kind=\"active\"}", portals.active), ("{kind=\"persistent\"}", portals.persistent)],
        );
        let name = "sallyport_portal_browser_seconds_total";
        text.begin(name, "For how long browsers were held, by portal and kind of work.", "counter");
        for BrowserTime { portal, work, milliseconds } in &portals.browsers {
            let seconds = seconds(*milliseconds);
            let _ = writeln!(text.0, "{name}{{portal=\"{portal}\",work=\"{work}\"}} {seconds}");
        }
    }
    let reply = Reply { body: Some(text.0), ..Reply::empty(200) };
    Ok(reply.with("content-type", CONTENT_TYPE))
}

fn upstream_accounts<B: Backend>(text: &mut Text, ctx: &RequestContext<B>, known: Option<&Known>) {
    let configured = &ctx.app.config.providers;
    let all = [
        ("{provider=\"facturify\"}", providers::FACTURIFY),
        ("{provider=\"upstox\"}", providers::UPSTOX),
        ("{provider=\"oauth2\"}", providers::OAUTH2),
    ];
    let mut each = |name: &str, help: &str, of: &dyn Fn(&str) -> u64| {
        let samples = all.map(|(labels, provider)| (labels, of(provider)));
        text.gauge(&["sallyport_upstream_accounts", name].concat(), help, &samples);
    };
    each("", "Upstream accounts in the settings.", &|provider| number(configured.count(provider)));
    each("_misconfigured", "Those whose settings are wrong.", &|provider| {
        number(configured.count_faulty(provider))
    });
    let Some(known) = known else { return };
    let of = |provider: &str| known.accounts.get(provider).copied().unwrap_or_default();
    each("_available", "Those with a token that is valid now.", &|provider| {
        of(provider).available.max(of(provider).healthy)
    });
    each("_healthy", "Those whose last renewal or check went well.", &|provider| of(provider).healthy);
    each("_failed", "Those that are failing or need somebody.", &|provider| of(provider).failed);
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
