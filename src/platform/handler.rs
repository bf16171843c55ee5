//! What handlers have of the platform: the request and its answer, the rate limiter, and the memory of the instance.

use super::{Workers, fault_of};
use base::fault::Fault;
use base::ports::{Background as _, Clock as _, Random as _};
use futures_util::StreamExt as _;
use http::reply::Reply;
use http::{Backend, Incoming, Instance, RequestHead};
use std::rc::Rc;
use worker::{ByteStream, Request, Response, ResponseBuilder};

/// The binding that counts attempts per client address.
const RATE_LIMITER: &str = "LOGIN_RATE_LIMITER";

/// The only header that an answer may have more than once.
const SET_COOKIE: &str = "set-cookie";

thread_local! {
    static INSTANCE: Rc<Instance> = Rc::new(Instance::new());
}

pub async fn serve(workers: Workers, request: Request) -> worker::Result<Response> {
    let (method, url) = (request.inner().method(), request.inner().url());
    let request = Received { request, body: None };
    let header = |name: &str| request.header(name);
    let head = RequestHead::new(&method, &url, &header, &|| workers.request_id(), workers.now());
    respond(http::serve(workers, head, request).await)
}

fn respond(reply: Reply) -> worker::Result<Response> {
    let mut builder = ResponseBuilder::new().with_status(reply.status);
    let (cookies, headers): (Vec<_>, Vec<_>) =
        reply.headers.iter().partition(|(name, _)| *name == SET_COOKIE);
    for (name, value) in headers {
        builder = builder.with_header(name, value)?;
    }
    let mut response = match reply.bytes.or(reply.body.map(String::into_bytes)) {
        Some(body) => builder.fixed(body),
        None => builder.empty(),
    };
    for (name, value) in cookies {
        response.headers_mut().append(name, value)?;
    }
    Ok(response)
}

/// A request as the platform hands it over. The stream of its body is opened with the first piece.
pub struct Received {
    request: Request,
    body: Option<ByteStream>,
}

impl Incoming for Received {
    fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    async fn chunk(&mut self) -> Option<Result<Vec<u8>, Fault>> {
        if self.body.is_none() {
            self.request.inner().body()?;
            match self.request.stream() {
                Ok(stream) => self.body = Some(stream),
                Err(error) => return Some(Err(fault_of(error))),
            }
        }
        let chunk = self.body.as_mut()?.next().await?;
        Some(chunk.map_err(fault_of))
    }
}

impl Backend for Workers {
    type Request = Received;

    fn for_request(&self, id: &str) -> Self {
        Self { request_id: Some(id.into()), ..self.clone() }
    }

    async fn allow_attempt(&self, key: &str) -> Result<bool, Fault> {
        let limiter = self.env.rate_limiter(RATE_LIMITER).map_err(fault_of)?;
        Ok(limiter.limit(key.to_owned()).await.map_err(fault_of)?.success)
    }

    fn first_request(&self) {
        let workers = self.clone();
        self.wait_until(async move { engine::cron::start(&workers).await });
    }

    fn instance(&self) -> Rc<Instance> {
        INSTANCE.with(Rc::clone)
    }
}
