//! Admin routes for sessions.

use super::own_sessions::{Listed, close_all_of, session};
use super::user_change::By;
use crate::access::Admin;
use crate::answers::Time;
use crate::answers::sessions::{ActiveSessions, Cleanup, ClosedSessions, EndedSession, Session, State};
use crate::backend::Backend;
use crate::context::{RequestContext, ended_before};
use crate::error::{FieldFault, Reason};
use crate::log::Audit;
use crate::reply::Reply;
use crate::route::query_values;
use base::audit::Action;
use base::fault::FaultKind;
use base::ids::{SessionId, UserId};
use directory::index::{List, Name};
use directory::{Get, GetReply, username};
use session::{Account, EndReason, Expire, Live, Owner, Peek, Presence, Subject};
use std::time::Duration;
use store::Record;

/// Sessions on one page of the list of all. Each costs one call to an object; Cloudflare allows 1,000 such calls to a
/// request on its paid plan and 50 on its free one, which this leaves room in.
const PAGE: u64 = 40;
const PAGE_MAX: u64 = 500;
/// What one sweep looks at, at most, of KV's records; and of users, whose last one may have some sessions more.
const SWEEP_SESSIONS: u64 = 250;
const SWEEP_USERS: u32 = 50;
/// What it may cost, in calls to objects and to KV. What is over costs six, what is live one.
const SWEEP_CALLS: u32 = 800;
const CALLS_OF_AN_END: u32 = 6;
/// A session whose record is older is not about to open.
const OPENS_WITHIN: Duration = Duration::from_mins(2);
/// Where a sweep goes on that has seen all users.
const BEHIND_ALL: UserId = UserId::issued(u32::MAX as u64);
/// What cursors begin with where a list goes on by users, since KV could not give one. No keyed hash has a dot.
const BY_USERS: &str = "users.";
/// How `unreachable` names what is neither a session nor a user: those have no capital letters.
const KV: &str = "KV";
const DIRECTORY: &str = "Directory";

/// `GET /admin/sessions/active`: those of the user that `user_id` or `username` names, or of the externally authenticated
/// `subject`; else all, page by page (`limit`, `cursor`).
pub async fn active<B: Backend>(ctx: &RequestContext<B>, _: &Admin) -> Result<Reply, Reason> {
    let query = &ctx.head.query;
    if let Some(text) = query_values(query, "user_id").next() {
        let user_id = text.parse().map_err(|_| Reason::field("user_id", FieldFault::WrongType))?;
        let username = name_of(ctx, user_id).await?;
        let sessions = ctx.sessions_of(Owner::User(&username)).await?;
        return Ok(Reply::json(200, &listing(Some(user_id), &sessions, None, Vec::new())));
    }
    if let Some(text) = query_values(query, "username").next() {
        let username = username::canonical(&text).ok_or(Reason::UserNotFound)?;
        let sessions = ctx.sessions_of(Owner::User(&username)).await?;
        return Ok(Reply::json(200, &listing(None, &sessions, None, Vec::new())));
    }
    if let Some(text) = query_values(query, "subject").next() {
        let subject =
            Subject::parse(&text).ok_or_else(|| Reason::field("subject", FieldFault::NotAllowed))?;
        let sessions = ctx.sessions_of(Owner::PostLogin(&subject.to_string())).await?;
        return Ok(Reply::json(200, &listing(None, &sessions, None, Vec::new())));
    }
    let limit = page_limit(query)?;
    let cursor = query_values(query, "cursor").next().filter(|c| !c.is_empty());
    let by_users = cursor.as_deref().and_then(|c| c.strip_prefix(BY_USERS)).map(after_user).transpose()?;
    let (sessions, unreachable, next) = if let Some(after) = by_users {
        all_by_users(ctx, after, limit).await?
    } else {
        let cursor = cursor.map(|given| ctx.take_cursor(&given)).transpose()?;
        match ctx.store().list_sessions(limit, cursor).await {
            Ok(page) => {
                let next = page.cursor.map(|cursor| ctx.give_cursor(&cursor));
                (ctx.live_sessions(&page.session_ids).await, Vec::new(), next)
            }
            Err(error) => {
                ctx.fault(FaultKind::KvList, &error);
                all_by_users(ctx, UserId::NOBODY, limit).await?
            }
        }
    };
    Ok(Reply::json(200, &listing(None, &sessions, next.as_deref(), unreachable)))
}

/// A page of the list of all without KV: the sessions of users, whose objects have them, too. Of those who are externally
/// authenticated there is no other list.
async fn all_by_users<B: Backend>(
    ctx: &RequestContext<B>,
    after: UserId,
    limit: u64,
) -> Result<(Listed, Vec<String>, Option<String>), Reason> {
    let OfUsers { ids, mut unreachable, last, .. } = of_users(ctx, after, limit).await?;
    unreachable.push(KV.to_owned());
    let next = last.map(|last| format!("{BY_USERS}{last}"));
    Ok((ctx.live_sessions(&ids).await, unreachable, next))
}

/// The sessions that some users have places for.
#[derive(Default)]
struct OfUsers {
    ids: Vec<SessionId>,
    unreachable: Vec<String>,
    /// Calls that this took.
    calls: u32,
    /// Behind whom to go on, if there may be more.
    last: Option<UserId>,
}

/// Asks users in the order of their ids, until there are enough sessions.
async fn of_users<B: Backend>(
    ctx: &RequestContext<B>,
    after: UserId,
    enough: u64,
) -> Result<OfUsers, Reason> {
    let now = ctx.now();
    let users = ctx.directory(&List { after, limit: SWEEP_USERS }).await?.users;
    let last = if users.len() == SWEEP_USERS as usize { users.last().map(|u| u.id) } else { None };
    let mut found = OfUsers { last, ..OfUsers::default() };
    let mut asked = after;
    for user in users {
        if found.ids.len() as u64 >= enough {
            found.last = Some(asked);
            break;
        }
        asked = user.id;
        found.calls += 1;
        match ctx.user(&user.username, &Get).await {
            Ok(GetReply::User(profile)) => {
                let due = profile.slots.into_iter().filter(|s| s.reserved_until.is_none_or(|t| t <= now));
                found.ids.extend(due.map(|s| s.session_id));
            }
            Ok(GetReply::NoUser) => {}
            Err(_) => found.unreachable.push(user.username),
        }
    }
    Ok(found)
}

/// The user's id of a cursor.
fn after_user(text: &str) -> Result<UserId, Reason> {
    text.parse().map_err(|_| Reason::field("cursor", FieldFault::NotAllowed))
}

/// The `limit` of a query, within bounds.
pub fn page_limit(query: &str) -> Result<u64, Reason> {
    match query_values(query, "limit").next() {
        None => Ok(PAGE),
        Some(text) => match text.parse() {
            Ok(n) if (1..=PAGE_MAX).contains(&n) => Ok(n),
            _ => Err(Reason::field("limit", FieldFault::NotAllowed)),
        },
    }
}

async fn name_of<B: Backend>(ctx: &RequestContext<B>, user_id: UserId) -> Result<String, Reason> {
    let found = ctx.directory(&Name { user_id }).await?.users;
    found.into_iter().next().map(|u| u.username).ok_or(Reason::UserNotFound)
}

fn listing<'a>(
    user_id: Option<UserId>,
    listed: &'a Listed,
    next_cursor: Option<&'a str>,
    mut unreachable: Vec<String>,
) -> ActiveSessions<'a> {
    unreachable.extend(listed.unreachable.iter().cloned().map(String::from));
    let sessions: Vec<Session> = listed.live.iter().map(|(id, live)| of_anybody(id, live)).collect();
    ActiveSessions { user_id, active_sessions: sessions.len(), sessions, next_cursor, unreachable }
}

/// `GET /admin/sessions/{id}`: what its object says, and of one that it has forgotten, why it ended, while KV knows.
pub async fn read_one<B: Backend>(ctx: &RequestContext<B>, _: &Admin, id: &str) -> Result<Reply, Reason> {
    let id = SessionId::parse(id).ok_or(Reason::SessionNotFound)?;
    let ended = match ctx.session(&id, &Peek).await? {
        Some(Presence::Live(live)) => {
            let body = Session { state: Some(State::Live), ..of_anybody(&id, &live) };
            return Ok(Reply::json(200, &body));
        }
        Some(Presence::Ended(ended)) => Some(ended),
        Some(Presence::Unknown) | None => ended_before(&ctx.backend, &id).await,
    };
    let ended = ended.ok_or(Reason::SessionNotFound)?;
    let account = ended.account.as_ref();
    let body = EndedSession {
        id: &id,
        state: State::Ended,
        reason: ended.reason,
        ended_at: ended.ended_at.map(Time::utc),
        user_id: account.and_then(Account::user),
        username: account.map(|account| account.username.as_str()),
    };
    Ok(Reply::json(200, &body))
}

/// A session as admins see it.
fn of_anybody<'a>(id: &'a SessionId, live: &'a Live) -> Session<'a> {
    Session {
        user_id: Some(live.account.user()),
        username: Some(&live.account.username),
        ..session(id, live)
    }
}

/// `DELETE /admin/sessions/{id}`. The session ends whatever its user's object says of it.
pub async fn close_one<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &Admin,
    id: &str,
) -> Result<Reply, Reason> {
    let id = SessionId::parse(id).ok_or(Reason::SessionNotFound)?;
    let Some(Presence::Live(live)) = ctx.session(&id, &Peek).await? else {
        return Err(Reason::SessionNotFound);
    };
    ctx.end_session(&id, EndReason::Admin).await?;
    ctx.audit(&Audit {
        actor: Some(admin.user_id()),
        user: live.account.user(),
        session_id: Some(id.as_str()),
        ..Audit::of(Action::AdminCloseSession, "ok")
    });
    Ok(Reply::empty(204))
}

/// `DELETE /admin/subjects/{subject}/sessions`: ends all sessions of somebody externally authenticated.
pub async fn close_of_subject<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &Admin,
    text: &str,
) -> Result<Reply, Reason> {
    let by = By { action: Action::AdminCloseSessions, actor: Some(admin.user_id()) };
    let closed = close_subject(ctx, text, by).await?;
    Ok(Reply::json(200, &ClosedSessions { message: None, closed_sessions: closed }))
}

/// `DELETE /admin/subjects/{subject}`: the same; with the last session the account and the document go. May be repeated.
pub async fn erase_subject<B: Backend>(
    ctx: &RequestContext<B>,
    admin: &Admin,
    text: &str,
) -> Result<Reply, Reason> {
    let by = By { action: Action::EraseCustomer, actor: Some(admin.user_id()) };
    close_subject(ctx, text, by).await?;
    Ok(Reply::empty(204))
}

async fn close_subject<B: Backend>(ctx: &RequestContext<B>, text: &str, by: By) -> Result<usize, Reason> {
    // What is no subject can be nobody's.
    let subject = Subject::parse(text).ok_or(Reason::UserNotFound)?.to_string();
    close_all_of(ctx, Owner::PostLogin(&subject), EndReason::Admin, None, by).await
}

/// `POST /admin/sessions/cleanup`: ends what a lost alarm left behind. Looks at KV's records and at the users' lists, a
/// bounded number of each, and goes on behind what cannot be asked; `next_cursor` says that there is more. 503 if neither KV
/// nor the directory can say what there is.
pub async fn cleanup<B: Backend>(ctx: &RequestContext<B>, admin: &Admin) -> Result<Reply, Reason> {
    let (kv_cursor, after) = sweep_cursor(ctx)?;
    let given = query_values(&ctx.head.query, "cursor").next();
    let here = given.unwrap_or_else(|| format!("{}.", UserId::NOBODY));
    let users = of_users(ctx, after, SWEEP_SESSIONS).await;
    let behind_all = if users.is_ok() { BEHIND_ALL } else { after };
    let no_directory = || OfUsers { unreachable: vec![DIRECTORY.to_owned()], ..OfUsers::default() };
    let OfUsers { mut ids, mut unreachable, mut calls, last: last_user } =
        users.unwrap_or_else(|_| no_directory());
    let kv_next = match ctx.store().list_sessions(SWEEP_SESSIONS, kv_cursor.clone()).await {
        Ok(page) => {
            ids.extend(page.session_ids);
            page.cursor
        }
        Err(error) => {
            let reason = ctx.fault(FaultKind::KvList, &error);
            if behind_all == after {
                return Err(reason);
            }
            unreachable.push(KV.to_owned());
            // Its turn comes again while there are users.
            kv_cursor.filter(|_| last_user.is_some())
        }
    };
    ids.sort_unstable();
    ids.dedup();
    let (mut cleaned, mut is_done) = (0_u32, true);
    for id in ids {
        // What has been cleaned up costs nothing when the same place is looked at once more.
        if calls >= SWEEP_CALLS {
            is_done = false;
            break;
        }
        match clean(ctx, &id).await {
            Ok(true) => (cleaned, calls) = (cleaned + 1, calls + CALLS_OF_AN_END),
            Ok(false) => calls += 1,
            Err(_) => {
                calls += 1;
                unreachable.push(id.into());
            }
        }
    }
    let actor = Some(admin.user_id());
    ctx.audit(&Audit { actor, ..Audit::of(Action::Cleanup, "ok") });
    let kv_next = kv_next.map(|cursor| ctx.give_cursor(&cursor));
    let more = kv_next.is_some() || last_user.is_some();
    let behind = || format!("{}.{}", last_user.unwrap_or(behind_all), kv_next.unwrap_or_default());
    let next = if is_done { more.then(behind) } else { Some(here) };
    Ok(Reply::json(200, &Cleanup { cleaned_sessions: cleaned, next_cursor: next, unreachable }))
}

/// Ends a session whose time is over, or takes away what is left of one. Says whether there was anything to do.
async fn clean<B: Backend>(ctx: &RequestContext<B>, id: &SessionId) -> Result<bool, Reason> {
    match ctx.session(id, &Expire).await? {
        Some(Presence::Live(_)) => return Ok(false),
        Some(Presence::Ended(ended)) if !ended.end_propagated => ctx.propagate_end(id, &ended).await,
        // Its end was told, and the record came late; or nobody knows it.
        ended @ (Some(Presence::Ended(_) | Presence::Unknown) | None) => {
            let is_settled = match (ctx.store().session(id).await, ended) {
                (Ok(Record::Ended(_)), _) | (Ok(Record::None), Some(Presence::Ended(_))) => return Ok(false),
                // A Worker of the release before writes it first.
                (Ok(Record::Live(record)), Some(Presence::Unknown) | None)
                    if record.created_at.plus(OPENS_WITHIN) > ctx.now() =>
                {
                    return Ok(false);
                }
                (Ok(_), Some(Presence::Ended(ended))) => ctx.store().note_end(id, &ended, ctx.now()).await,
                (Ok(_), _) => ctx.store().forget_session(id).await,
                (Err(error), _) => Err(error),
            };
            is_settled.map_err(|e| ctx.fault(FaultKind::KvSessionRecord, &e))?;
        }
    }
    Ok(true)
}

/// Where the last sweep stopped: the last user's id and KV's cursor.
fn sweep_cursor<B: Backend>(ctx: &RequestContext<B>) -> Result<(Option<String>, UserId), Reason> {
    let Some(text) = query_values(&ctx.head.query, "cursor").next() else {
        return Ok((None, UserId::NOBODY));
    };
    let wrong = || Reason::field("cursor", FieldFault::NotAllowed);
    let (after, kv) = text.split_once('.').ok_or_else(wrong)?;
    let kv = if kv.is_empty() { None } else { Some(ctx.take_cursor(kv)?) };
    Ok((kv, after_user(after)?))
}
