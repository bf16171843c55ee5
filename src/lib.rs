//! The Worker: the platform's side of Sallyport.

mod cron;
mod handlers;
mod objects;
mod platform;
mod store;

/// Every request that the entry does not answer on its fast path.
#[worker::event(fetch)]
async fn fetch(
    request: worker::Request,
    env: worker::Env,
    context: worker::Context,
) -> worker::Result<worker::Response> {
    handlers::serve::serve(request, env, context).await
}
