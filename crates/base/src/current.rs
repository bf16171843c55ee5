//! Whose request is worked on at the moment, for what is logged on the way: a fault inside an object, or a panic, has the id of
//! the request that has led to it. It is known in each run without a wait, and crosses to an object beside its command.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

thread_local! {
    static ID: RefCell<Option<Rc<str>>> = const { RefCell::new(None) };
}

/// The id of that request; none where it is nobody's, or not known.
pub fn request_id() -> Option<Rc<str>> {
    ID.try_with(|id| id.try_borrow().ok()?.clone()).ok().flatten()
}

/// The work is for this request until this is dropped, also by a panic.
#[must_use]
pub struct Entered(Option<Rc<str>>);

pub fn enter(id: Option<Rc<str>>) -> Entered {
    Entered(ID.replace(id))
}

impl Drop for Entered {
    fn drop(&mut self) {
        ID.set(self.0.take());
    }
}

/// Does what takes its time for a request: in between, other work is for others.
pub async fn within<T>(id: Option<Rc<str>>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _entered = enter(id.clone());
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    fn now() -> Option<String> {
        request_id().map(|id| id.to_string())
    }

    #[test]
    fn f16_work_is_for_its_own_request_whatever_else_is_done_in_between() {
        let mut turns = 0;
        let waits = poll_fn(|_| {
            turns += 1;
            assert_eq!(now().as_deref(), Some("a"));
            if turns < 3 { Poll::Pending } else { Poll::Ready(turns) }
        });
        let mut work = pin!(within(Some("a".into()), waits));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert_eq!(work.as_mut().poll(&mut context), Poll::Pending);
            assert_eq!(now(), None);
            let entered = enter(Some("b".into()));
            {
                let _nobody = enter(None);
                assert_eq!(now(), None);
            }
            assert_eq!(now().as_deref(), Some("b"));
            drop(entered);
        }
        assert_eq!(work.as_mut().poll(&mut context), Poll::Ready(3));
        assert_eq!(now(), None);
    }

    #[test]
    fn f16_after_a_panic_it_is_forgotten() {
        let panicked = std::panic::catch_unwind(|| {
            let _entered = enter(Some("a".into()));
            panic!("on purpose");
        });
        assert!(panicked.is_err() && now().is_none());
    }
}
