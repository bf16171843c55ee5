//! Many works at once.

use futures_util::future::join_all;
use std::cell::Cell;
use std::pin::Pin;

/// What comes of all of them, in their order. As `join_all`, but what drives them is compiled once, and not for each type of
/// work: a dozen of those are 40 KiB of wasm.
pub async fn together<T>(works: impl IntoIterator<Item: Future<Output = T>>) -> Vec<T> {
    let works: Vec<_> = works.into_iter().collect();
    let results: Vec<Cell<Option<T>>> = works.iter().map(|_| Cell::new(None)).collect();
    let noted = works.into_iter().zip(&results).map(|(work, result)| {
        let noted: Work<'_> = Box::pin(async move { result.set(Some(work.await)) });
        noted
    });
    join_all(noted.collect::<Vec<_>>()).await;
    results.into_iter().filter_map(Cell::into_inner).collect()
}

type Work<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::future::{pending, ready};

    #[test]
    fn the_results_are_in_the_order_of_the_works_and_come_when_all_are_done() {
        // More than `join_all` polls one by one.
        let many = together((0..100).map(|n| async move { if n % 2 == 0 { ready(n).await } else { n } }));
        assert_eq!(many.now_or_never(), Some((0..100).collect()));
        let one_hangs = (0..3).map(|n| async move { if n == 1 { pending().await } else { n } });
        assert_eq!(together(one_hangs).now_or_never(), None);
        assert_eq!(together(Vec::<std::future::Ready<u8>>::new()).now_or_never(), Some(vec![]));
    }
}
