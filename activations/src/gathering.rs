//! Work that is asked for at the same moment shares a transaction.
//!
//! A commit costs a wait for the disk, whether it carries one row or a hundred. While one transaction is being
//! written, what is asked meanwhile gathers; the next one takes all of it, also what is asked while it waits for its
//! turn to write: a group is complete when its transaction has begun. Whoever is alone waits for nobody.
//!
//! A group stands or falls as one. When it fails, or panics, or takes too long, each of its members is done
//! again by itself, so that one row that can't be worked on costs the others nothing but time, and is known.
//! If we crash within a group, none of it happened.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// Most members of a group.
const LARGEST: usize = 128;

/// A group may take this long to begin, and again to be done.
const LIMIT: Duration = Duration::from_secs(20);

/// A future of a group.
type Doing<R, E> = Pin<Box<dyn Future<Output = Result<R, E>> + Send>>;

/// Begins a group before it is known who is in it: with a transaction, or with nothing.
type Begin<B, E> = Box<dyn Fn() -> Doing<B, E> + Send + Sync>;

/// Does a group: one result for each member, in their order, or none at all.
type Work<B, T, R, E> = Box<dyn Fn(B, Vec<T>) -> Doing<Vec<R>, E> + Send + Sync>;

/// How a group is done.
struct Steps<B, T, R, E> {
    begin: Begin<B, E>,
    work: Work<B, T, R, E>,
}

impl<B, T, R, E> Steps<B, T, R, E>
where
    B: Send + 'static,
    E: Send + Sync + 'static,
{
    async fn begun(&self) -> Result<B, Failed<E>> {
        apart((self.begin)()).await.map_err(|failed| match failed {
            Failed::Panicked | Failed::TooLong => Failed::NotBegun,
            other => other,
        })
    }
}

/// What becomes of a result that nobody waits for any more.
type Unheard<R> = Arc<dyn Fn(R) + Send + Sync>;

/// Gathers what is asked at the same time. Clones share the groups.
pub(crate) struct Gathering<T, R, E> {
    asked: mpsc::Sender<Asked<T, R, E>>,
}

impl<T, R, E> Clone for Gathering<T, R, E> {
    fn clone(&self) -> Self {
        Self {
            asked: self.asked.clone(),
        }
    }
}

impl<T, R, E> fmt::Debug for Gathering<T, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gathering").finish_non_exhaustive()
    }
}

struct Asked<T, R, E> {
    member: T,
    answer: oneshot::Sender<Result<R, Failed<E>>>,
}

impl<T, R, E> Asked<T, R, E> {
    fn tell(self, result: Result<R, Failed<E>>, unheard: &Unheard<R>) {
        if let Err(Ok(result)) = self.answer.send(result) {
            unheard(result);
        }
    }
}

/// What was asked wasn't done, by itself as little as within a group.
#[derive(Debug, thiserror::Error)]
pub enum Failed<E> {
    /// It failed.
    #[error(transparent)]
    Itself(#[from] E),
    /// It panicked.
    #[error("it panicked")]
    Panicked,
    /// It didn't end.
    #[error("it took longer than {LIMIT:?}")]
    TooLong,
    /// There was no transaction to do it in, which is nothing that could be said of what was asked.
    #[error("no transaction was begun")]
    NotBegun,
    /// Nobody does it any more.
    #[error("the program is stopping")]
    Stopping,
}

impl<T, R, E> Gathering<T, R, E>
where
    T: Clone + Send + 'static,
    R: Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    /// Starts `lanes` that each do a group at a time, on the current tokio runtime, until every clone is gone.
    pub(crate) fn start<B, F, G>(
        lanes: usize,
        begin: impl Fn() -> F + Send + Sync + 'static,
        work: impl Fn(B, Vec<T>) -> G + Send + Sync + 'static,
    ) -> Self
    where
        B: Send + 'static,
        F: Future<Output = Result<B, E>> + Send + 'static,
        G: Future<Output = Result<Vec<R>, E>> + Send + 'static,
    {
        Self::start_with(lanes, begin, work, drop)
    }

    /// The same, where a result means something also when nobody waits for it any more: it goes to `unheard`.
    pub(crate) fn start_with<B, F, G>(
        lanes: usize,
        begin: impl Fn() -> F + Send + Sync + 'static,
        work: impl Fn(B, Vec<T>) -> G + Send + Sync + 'static,
        unheard: impl Fn(R) + Send + Sync + 'static,
    ) -> Self
    where
        B: Send + 'static,
        F: Future<Output = Result<B, E>> + Send + 'static,
        G: Future<Output = Result<Vec<R>, E>> + Send + 'static,
    {
        let unheard: Unheard<R> = Arc::new(unheard);
        let (asked, waiting) = mpsc::channel(LARGEST);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let steps = Arc::new(Steps {
            begin: Box::new(move || Box::pin(begin())),
            work: Box::new(move |begun, group| Box::pin(work(begun, group))),
        });
        for _ in 0..lanes.max(1) {
            tokio::spawn(lane(Arc::clone(&waiting), Arc::clone(&steps), Arc::clone(&unheard)));
        }
        Self { asked }
    }

    /// Does it with whatever else is asked now.
    ///
    /// # Errors
    /// When it couldn't be done, by itself as little as within a group.
    pub(crate) async fn ask(&self, member: T) -> Result<R, Failed<E>> {
        let (answer, answered) = oneshot::channel();
        if self.asked.send(Asked { member, answer }).await.is_err() {
            return Err(Failed::Stopping);
        }
        answered.await.unwrap_or(Err(Failed::Stopping))
    }
}

/// Waits for the first member, then begins; meanwhile everybody asks who can: the first of a hundred that come at
/// once would be done alone otherwise, and the rest would wait for its commit. `None` when nobody will ask any more.
async fn gather<A, B, F: Future<Output = B>>(
    waiting: &tokio::sync::Mutex<mpsc::Receiver<A>>,
    begin: impl FnOnce() -> F,
) -> Option<(B, Vec<A>)> {
    let mut waiting = waiting.lock().await;
    let mut group = vec![waiting.recv().await?];
    let begun = begin().await;
    // Also where beginning takes no time at all.
    tokio::task::yield_now().await;
    while group.len() < LARGEST
        && let Ok(next) = waiting.try_recv()
    {
        group.push(next);
    }
    Some((begun, group))
}

async fn lane<B, T, R, E>(
    waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Asked<T, R, E>>>>,
    steps: Arc<Steps<B, T, R, E>>,
    unheard: Unheard<R>,
) where
    B: Send + 'static,
    T: Clone + Send + 'static,
    R: Send + 'static,
    E: Send + Sync + 'static,
{
    while let Some((begun, mut group)) = gather(&waiting, || steps.begun()).await {
        // After a store that was away: what nobody waits for any more is asked for again by whoever still wants it.
        group.retain(|asked| !asked.answer.is_closed());
        if group.is_empty() {
            continue;
        }
        let members: Vec<T> = group.iter().map(|asked| asked.member.clone()).collect();
        let done = match begun {
            Ok(begun) => apart((steps.work)(begun, members)).await,
            Err(failed) => Err(failed),
        };
        match done {
            Ok(results) if results.len() == group.len() => {
                for (asked, result) in group.into_iter().zip(results) {
                    asked.tell(Ok(result), &unheard);
                }
            }
            Err(failed) if group.len() == 1 => {
                for (asked, failed) in group.into_iter().zip([failed]) {
                    asked.tell(Err(failed), &unheard);
                }
            }
            _ => {
                for asked in group {
                    if asked.answer.is_closed() {
                        continue;
                    }
                    let alone = alone(&steps, asked.member.clone()).await;
                    asked.tell(alone, &unheard);
                }
            }
        }
    }
}

/// One member by itself.
async fn alone<B, T, R, E>(steps: &Steps<B, T, R, E>, member: T) -> Result<R, Failed<E>>
where
    B: Send + 'static,
    R: Send + 'static,
    E: Send + Sync + 'static,
{
    let begun = steps.begun().await?;
    let results = apart((steps.work)(begun, vec![member])).await?;
    results.into_iter().next().ok_or(Failed::Stopping)
}

/// In a task of its own, so that a panic ends that task and no lane.
async fn apart<R, E>(doing: Doing<R, E>) -> Result<R, Failed<E>>
where
    R: Send + 'static,
    E: Send + Sync + 'static,
{
    let task = tokio::spawn(doing);
    let abort = task.abort_handle();
    match tokio::time::timeout(LIMIT, task).await {
        Ok(Ok(result)) => result.map_err(Failed::Itself),
        Ok(Err(_)) => Err(Failed::Panicked),
        Err(_) => {
            abort.abort();
            Err(Failed::TooLong)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests stop at what they did not expect"
    )]
    use super::*;
    use std::sync::Mutex;

    #[derive(Debug, thiserror::Error)]
    #[error("{0} can't be done")]
    struct CantBeDone(u32);

    type Groups = Arc<Mutex<Vec<usize>>>;

    async fn at_once() -> Result<(), CantBeDone> {
        Ok(())
    }

    fn doubling(groups: &Groups) -> Gathering<u32, u32, CantBeDone> {
        let groups = Arc::clone(groups);
        Gathering::start(1, at_once, move |(), members: Vec<u32>| {
            groups.lock().unwrap().push(members.len());
            async move {
                tokio::task::yield_now().await;
                members
                    .into_iter()
                    .map(|member| match member {
                        13 => Err(CantBeDone(13)),
                        14 => panic!("told to"),
                        other => Ok(other * 2),
                    })
                    .collect()
            }
        })
    }

    type Answer = Result<u32, Failed<CantBeDone>>;

    async fn ask_all(gathering: &Gathering<u32, u32, CantBeDone>, members: std::ops::Range<u32>) -> Vec<Answer> {
        let asking: Vec<_> = members
            .map(|member| {
                let gathering = gathering.clone();
                tokio::spawn(async move { gathering.ask(member).await })
            })
            .collect();
        let mut answers = Vec::new();
        for one in asking {
            answers.push(one.await.unwrap());
        }
        answers
    }

    #[tokio::test]
    async fn what_is_asked_at_once_is_done_in_few_groups_and_each_hears_its_own() {
        let groups = Groups::default();
        let gathering = doubling(&groups);
        for (member, result) in (100..200).zip(ask_all(&gathering, 100..200).await) {
            assert_eq!(result.unwrap(), member * 2);
        }
        let groups = groups.lock().unwrap();
        assert!(groups.len() < 10, "{groups:?}");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_begun_and_a_result_that_nobody_hears_is_handed_on() {
        let (begin, begun) = (Arc::new(tokio::sync::Semaphore::new(0)), Groups::default());
        let unheard = Arc::new(Mutex::new(Vec::new()));
        let (gate, groups, sink) = (Arc::clone(&begin), Arc::clone(&begun), Arc::clone(&unheard));
        let gathering: Gathering<u32, u32, CantBeDone> = Gathering::start_with(
            1,
            at_once,
            move |(), members: Vec<u32>| {
                groups
                    .lock()
                    .unwrap()
                    .extend(members.iter().map(|member| *member as usize));
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    Ok(members)
                }
            },
            move |result| sink.lock().unwrap().push(result),
        );
        let ask = |member| {
            let gathering = gathering.clone();
            tokio::spawn(async move { gathering.ask(member).await })
        };
        let first = ask(1);
        while begun.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        // The second waits behind the first, and both give up.
        let second = ask(2);
        tokio::task::yield_now().await;
        first.abort();
        second.abort();
        assert!(first.await.unwrap_err().is_cancelled() && second.await.unwrap_err().is_cancelled());
        begin.add_permits(2);
        assert_eq!(ask(3).await.unwrap().unwrap(), 3);
        assert_eq!(*begun.lock().unwrap(), [1, 3]);
        assert_eq!(*unheard.lock().unwrap(), [1]);
    }

    #[tokio::test]
    async fn who_asks_while_a_group_waits_for_its_turn_is_in_it_and_a_turn_that_never_comes_is_told_to_each() {
        let (turns, groups) = (Arc::new(tokio::sync::Semaphore::new(0)), Groups::default());
        let (turn, sizes) = (Arc::clone(&turns), Arc::clone(&groups));
        let gathering: Gathering<u32, u32, CantBeDone> = Gathering::start(
            1,
            move || {
                let turn = Arc::clone(&turn);
                async move {
                    let permit = turn.acquire().await;
                    permit.map_err(|_| CantBeDone(0))?.forget();
                    Ok(())
                }
            },
            move |(), members: Vec<u32>| {
                sizes.lock().unwrap().push(members.len());
                async move { Ok(members) }
            },
        );
        let asking = |member: u32| {
            let gathering = gathering.clone();
            tokio::spawn(async move { gathering.ask(member).await })
        };
        let first = asking(0);
        tokio::task::yield_now().await;
        let later: Vec<_> = (1..20).map(asking).collect();
        tokio::task::yield_now().await;
        turns.add_permits(1);
        assert_eq!(first.await.unwrap().unwrap(), 0);
        for (member, answer) in (1..20).zip(later) {
            assert_eq!(answer.await.unwrap().unwrap(), member);
        }
        assert_eq!(*groups.lock().unwrap(), [20]);

        turns.close();
        for answer in ask_all(&gathering, 0..3).await {
            assert!(matches!(answer, Err(Failed::Itself(CantBeDone(0)))), "{answer:?}");
        }
        assert_eq!(groups.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn one_that_fails_or_panics_costs_the_others_nothing() {
        let groups = Groups::default();
        let gathering = doubling(&groups);
        for (member, result) in (0..30).zip(ask_all(&gathering, 0..30).await) {
            match (member, result) {
                (13, Err(Failed::Itself(CantBeDone(13)))) | (14, Err(Failed::Panicked)) => {}
                (member, Ok(result)) => assert_eq!(result, member * 2),
                other => panic!("{other:?}"),
            }
        }
    }
}
