//! Calls between the Worker and its Durable Objects, and between objects: a typed command out, its typed reply in.
//!
//! A command is a type. What travels is its envelope: JSON, `{"name": {…}}`, or `"name"` for a command without members.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

#![allow(async_fn_in_trait)] // Everything here runs on one thread; nothing has to be `Send`.

use crate::fault::FaultKind;
use crate::ports::Log;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// The Durable Object classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Session,
    User,
    Directory,
    Upstream,
    Roster,
    Portal,
    PortalRegistry,
    AuditTrail,
}

impl Class {
    /// The name of the binding in `wrangler.toml`.
    pub const fn binding(self) -> &'static str {
        match self {
            Self::Session => "SESSION",
            Self::User => "USER",
            Self::Directory => "DIRECTORY",
            Self::Upstream => "UPSTREAM",
            Self::Roster => "ROSTER",
            Self::Portal => "PORTAL",
            Self::PortalRegistry => "PORTAL_REGISTRY",
            // A setting has the name of the class.
            Self::AuditTrail => "TRAIL",
        }
    }
}

/// A class as a type, so that a command cannot be sent to an object of another one.
pub trait Object {
    const CLASS: Class;
}

/// Which object of a class: by the id that its namespace gave it, or by a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    Id(String),
    Name(String),
}

/// An object that commands for `O` may be sent to.
#[derive(Clone, Debug)]
pub struct Address<O> {
    pub name: Name,
    object: PhantomData<O>,
}

impl<O: Object> Address<O> {
    pub fn id(id: impl Into<String>) -> Self {
        Self { name: Name::Id(id.into()), object: PhantomData }
    }

    pub fn name(name: impl Into<String>) -> Self {
        Self { name: Name::Name(name.into()), object: PhantomData }
    }
}

/// Which of its two methods an object is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One synchronous step.
    Command,
    /// What takes calls to others, and so more than a step.
    Ask,
}

/// Something that an object can be told or asked, and what it answers.
pub trait Command {
    type Object: Object;
    type Reply: DeserializeOwned;
    const METHOD: Method = Method::Command;
    /// Whether it may be given twice: what it did the first time it then finds done.
    const REPEATABLE: bool = true;

    /// What is sent.
    fn to_json(&self) -> serde_json::Result<String>;
}

/// A command in its envelope, `{"name": {…}}`.
pub fn enveloped<C: Serialize>(name: &'static str, command: &C) -> serde_json::Result<String> {
    serde_json::to_string(&Enveloped { name, command })
}

/// The envelope itself, for what wraps it further.
pub struct Enveloped<'a, C> {
    pub name: &'static str,
    pub command: &'a C,
}

impl<C: Serialize> Serialize for Enveloped<'_, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_variant("Envelope", 0, self.name, self.command)
    }
}

/// Says of types that they are commands of an object: `commands! { Session: Touch = "touch" => TouchReply; … }`. A type
/// without members is marked `unit` in front.
#[macro_export]
macro_rules! commands {
    ($object:ty: $($rest:tt)*) => { $crate::commands!(@each $object; $($rest)*); };
    (@each $object:ty;) => {};
    (@each $object:ty; unit $command:ty = $name:literal => $reply:ty; $($rest:tt)*) => {
        impl $crate::rpc::Command for $command {
            type Object = $object;
            type Reply = $reply;
            fn to_json(&self) -> ::serde_json::Result<String> {
                ::serde_json::to_string($name)
            }
        }
        $crate::commands!(@each $object; $($rest)*);
    };
    (@each $object:ty; $command:ty = $name:literal => $reply:ty; $($rest:tt)*) => {
        impl $crate::rpc::Command for $command {
            type Object = $object;
            type Reply = $reply;
            fn to_json(&self) -> ::serde_json::Result<String> {
                $crate::rpc::enveloped($name, self)
            }
        }
        $crate::commands!(@each $object; $($rest)*);
    };
}

/// An object could not be asked. Whether it did anything is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreachable;

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object could not be asked")
    }
}

impl From<Unreachable> for crate::fault::Fault {
    fn from(error: Unreachable) -> Self {
        Self(error.to_string())
    }
}

/// How a call failed, as the runtime has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    pub text: String,
    pub retryable: bool,
    pub overloaded: bool,
}

/// The objects of this deployment.
pub trait Peers: Log {
    /// One call, on a fresh stub.
    async fn attempt(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        json: &str,
    ) -> Result<String, CallError>;

    /// A fresh id of a class, made without asking anybody.
    fn unique_id(&self, class: Class) -> Result<String, Unreachable>;

    /// Whether an id is one that this class's namespace could have given.
    fn is_id(&self, class: Class, id: &str) -> bool;

    /// Sends a command. A call that failed on the way is tried once more if that does no harm, never if the object is
    /// overloaded.
    async fn send<C: Command>(&self, to: &Address<C::Object>, command: &C) -> Result<C::Reply, Unreachable> {
        let class = <C::Object as Object>::CLASS;
        let json = command.to_json().map_err(|_| Unreachable)?;
        let answer = self.carry(class, &to.name, C::METHOD, C::REPEATABLE, &json).await?;
        crate::json::read(&answer).map_err(|error| {
            self.fault(FaultKind::ObjectReply, &error, None);
            Unreachable
        })
    }

    /// What is the same for every command, so that it is compiled once: the calls.
    async fn carry(
        &self,
        class: Class,
        name: &Name,
        method: Method,
        repeatable: bool,
        json: &str,
    ) -> Result<String, Unreachable> {
        let mut answer = self.attempt(class, name, method, json).await;
        if let Err(error) = &answer
            && repeatable
            && error.retryable
            && !error.overloaded
        {
            answer = self.attempt(class, name, method, json).await;
        }
        answer.map_err(|error| {
            self.fault(FaultKind::Object, &error.text, None);
            Unreachable
        })
    }
}
