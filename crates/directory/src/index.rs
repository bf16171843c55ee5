//! What the one object that knows who there is is told and asked, and what it answers to each: ids and names of users, who
//! is an admin, and the service keys.
//! New code meets old objects for a while after each deploy: add commands and defaulted members, never change one.

use super::password::HashParams;
use super::service_key::ServiceKey;
use base::clock::Timestamp;
use base::commands;
use base::ids::{ServiceKeyId, UserId};
use base::rpc::{self, Address, Class};
use base::secret::Secret;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The class of the directory.
#[derive(Clone, Copy, Debug)]
pub struct DirectoryObject;

impl rpc::Object for DirectoryObject {
    const CLASS: Class = Class::Directory;
}

/// There is one.
pub fn directory_address() -> Address<DirectoryObject> {
    Address::name("directory")
}

commands! {
    DirectoryObject:
    Register = "register" => RegisterReply;
    SetAdmin = "set_admin" => AdminReply;
    Remove = "remove" => AdminReply;
    Name = "name" => Users;
    Find = "find" => Users;
    List = "list" => Users;
    AddKey = "add_key" => AddKeyReply;
    Key = "key" => ServiceKeys;
    unit Keys = "keys" => ServiceKeys;
    unit KeyIds = "key_ids" => ServiceKeyIds;
    RevokeKey = "revoke_key" => ServiceKeys;
    ReplaceKey = "replace_key" => AddKeyReply;
    KeyUsed = "key_used" => KeyNoted;
    ClaimReset = "claim_reset" => ClaimReply;
    HashCost = "hash_cost" => HashParams;
}

/// A command as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    Register(Register),
    SetAdmin(SetAdmin),
    Remove(Remove),
    Name(Name),
    Find(Find),
    List(List),
    AddKey(AddKey),
    Key(Key),
    Keys,
    KeyIds,
    RevokeKey(RevokeKey),
    ReplaceKey(ReplaceKey),
    KeyUsed(KeyUsed),
    ClaimReset(ClaimReset),
    HashCost(HashCost),
}

/// Gives a name its id, the same one each time. With `bootstrap`, only while there is no other admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    pub username: String,
    pub admin: bool,
    pub bootstrap: bool,
}

/// Says whether a user is an active admin, by the word of the user's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAdmin {
    pub username: String,
    pub admin: bool,
    /// Whose. The name may be another user's by the time this arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// As of which version of the account: what is older than is known changes nothing. A Worker of the release before does
    /// not say it, and is refused if nobody would be an admin any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_version: Option<u64>,
    /// It is not so yet, and is asked: refused if nobody would be an admin any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks: bool,
}

/// Takes a name off the list. Its id is never given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remove {
    pub username: String,
    /// Whose. The name may be another user's by the time this arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
}

/// Asks for the name of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub user_id: UserId,
}

/// Asks for the id of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    pub username: String,
}

/// Asks for names in the order of their ids, after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub after: UserId,
    pub limit: u32,
}

/// Keeps a new service key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddKey(pub ServiceKey);

/// Asks for the service key of an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key(pub ServiceKeyId);

/// Asks for all service keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys;

/// Asks which keys are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyIds;

/// Asks what the dearest hash in use was made with, and says what was seen of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashCost {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<HashParams>,
}

/// Revokes a service key, and gives it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeKey(pub ServiceKeyId);

/// Keeps a new service key in the place of another, which is good until `until` at the longest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceKey {
    pub id: ServiceKeyId,
    pub until: Timestamp,
    pub by: ServiceKey,
}

/// A service key was in use. What is older than is known changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUsed {
    pub id: ServiceKeyId,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyNoted {
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterReply {
    Id(UserId),
    /// The bootstrap key has done its work.
    AdminExists,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminReply {
    Done,
    /// Nobody would be an admin any more. Nothing was changed.
    LastAdmin,
    /// The user has changed since this was asked. Nothing was changed.
    Changed,
}

/// Keeps a secret, which makes somebody an admin again, for one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimReset {
    /// As a hash.
    pub secret: String,
    pub user_id: UserId,
}

impl ClaimReset {
    /// The hash by which a secret is remembered: SHA-256 in base64url. The secret is a random one of at least 32 bytes.
    pub fn hash(secret: &Secret) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(secret.expose()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimReply {
    /// It is for this user, now or since earlier.
    Claimed,
    /// It is for another one.
    Used,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddKeyReply {
    Done,
    TooManyKeys,
    /// There is no good key of that id to be replaced.
    NoSuchKey,
}

/// Those that were asked for; none if there is no such user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    pub users: Vec<Entry>,
}

/// Those that were asked for; none if there is no such key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKeys {
    pub keys: Vec<ServiceKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKeyIds {
    pub ids: Vec<ServiceKeyId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub id: UserId,
    pub username: String,
}
