//! `WebSockets` that objects open. What comes is kept in order until somebody asks for it.

use super::Workers;
use base::ports::Timer as _;
use base::socket::{Closed, Connect, MESSAGE_BYTES_MAX, Message, Opened, Socket};
use futures_util::future::{Either, select};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;
use worker::js_sys::{Function, JsString, Reflect, Uint8Array};
use worker::wasm_bindgen::closure::Closure;
use worker::wasm_bindgen::{self, JsCast as _, JsValue, prelude::wasm_bindgen};
use worker::worker_sys::web_sys;
use worker::{AbortController, AbortSignal, Fetch, Headers, Request, Response};

#[wasm_bindgen]
extern "C" {
    type Ws;

    #[wasm_bindgen(method, catch)]
    fn accept(this: &Ws) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn send(this: &Ws, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Ws) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    fn on(this: &Ws, event: &str, listener: &Function) -> Result<(), JsValue>;

    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &Ws, kind: &str);
}

/// What has come, and whoever waits for it.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    closed: bool,
    waker: Option<Waker>,
}

type Shared = Rc<RefCell<Inbox>>;

struct Open {
    workers: Workers,
    ws: Ws,
    inbox: Shared,
    /// Held for as long as it is open.
    _listeners: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Workers {
    pub(super) async fn open(&self, to: &Connect) -> Opened {
        // Not a signal with a time of its own: that would end the socket as well, however long it is open by then.
        let controller = AbortController::default();
        let signal = controller.signal();
        let upgraded = std::pin::pin!(self.upgrade(to, &signal));
        match select(upgraded, std::pin::pin!(self.sleep(to.timeout))).await {
            Either::Left((Ok(opened), _)) => opened,
            Either::Left((Err(_), _)) => Opened::Unreachable,
            Either::Right(_) => {
                controller.abort();
                Opened::TimedOut
            }
        }
    }

    async fn upgrade(&self, to: &Connect, signal: &AbortSignal) -> worker::Result<Opened> {
        let headers = Headers::new();
        headers.set("upgrade", "websocket")?;
        let init = web_sys::RequestInit::new();
        init.set_headers(headers.0.as_ref());
        let request = Request::from(web_sys::Request::new_with_str_and_init(&to.url, &init)?);
        let response: Response = match &to.binding {
            None => Fetch::Request(request).send_with_signal(signal).await?,
            Some(name) => match self.binding(name) {
                Some(binding) => binding.send(&request, signal).await?,
                None => return Ok(Opened::Unreachable),
            },
        };
        let status = response.status_code();
        let response: web_sys::Response = response.into();
        let ws = Reflect::get(&response, &JsValue::from_str("webSocket"))?;
        if ws.is_undefined() || ws.is_null() {
            return Ok(Opened::Refused(status));
        }
        Ok(Opened::Socket(Box::new(self.listen(ws.unchecked_into())?)))
    }

    fn listen(&self, ws: Ws) -> Result<Open, JsValue> {
        let inbox = Shared::default();
        // Else newer runtimes give blobs, which can be read only by another promise.
        ws.set_binary_type("arraybuffer");
        let on_message = listener(&inbox, |inbox, event| {
            match Reflect::get(&event, &JsValue::from_str("data")).ok().and_then(|data| read(&data)) {
                Some(message) => inbox.messages.push_back(message),
                None => inbox.closed = true,
            }
        });
        let on_close = listener(&inbox, |inbox, _| inbox.closed = true);
        let on_error = listener(&inbox, |inbox, _| inbox.closed = true);
        ws.on("message", on_message.as_ref().unchecked_ref())?;
        ws.on("close", on_close.as_ref().unchecked_ref())?;
        ws.on("error", on_error.as_ref().unchecked_ref())?;
        ws.accept()?;
        Ok(Open { workers: self.clone(), ws, inbox, _listeners: [on_message, on_close, on_error] })
    }
}

fn listener(inbox: &Shared, hear: fn(&mut Inbox, JsValue)) -> Closure<dyn FnMut(JsValue)> {
    let inbox = AssertUnwindSafe(inbox.clone());
    Closure::new(move |event: JsValue| {
        let inbox: &Shared = &inbox;
        let mut inbox = inbox.borrow_mut();
        hear(&mut inbox, event);
        let waker = inbox.waker.take();
        drop(inbox);
        if let Some(waker) = waker {
            waker.wake();
        }
    })
}

/// Nothing, if it is too long to be read here.
fn read(data: &JsValue) -> Option<Message> {
    if let Some(text) = data.dyn_ref::<JsString>() {
        // Its length is that in UTF-16, and what comes is mostly ASCII.
        let length = usize::try_from(text.length()).unwrap_or(usize::MAX);
        return (length <= MESSAGE_BYTES_MAX).then(|| Message::Text(String::from(text)));
    }
    let bytes = Uint8Array::new(data);
    let length = usize::try_from(bytes.length()).unwrap_or(usize::MAX);
    (length <= MESSAGE_BYTES_MAX).then(|| Message::Binary(bytes.to_vec()))
}

impl Socket for Open {
    fn send(&self, text: &str) -> Result<(), Closed> {
        if self.inbox.borrow().closed {
            return Err(Closed);
        }
        self.ws.send(text).map_err(|_| Closed)
    }

    fn next(&self, within: Duration) -> Pin<Box<dyn Future<Output = Message> + '_>> {
        Box::pin(async move {
            let came = std::future::poll_fn(|context| {
                let mut inbox = self.inbox.borrow_mut();
                if let Some(message) = inbox.messages.pop_front() {
                    return Poll::Ready(message);
                }
                if inbox.closed {
                    return Poll::Ready(Message::Closed);
                }
                inbox.waker = Some(context.waker().clone());
                Poll::Pending
            });
            match select(came, std::pin::pin!(self.workers.sleep(within))).await {
                Either::Left((message, _)) => message,
                Either::Right(_) => Message::TimedOut,
            }
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.ws.close();
    }
}
