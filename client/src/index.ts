/**
 * Sessions of Sallyport in browsers, Node and Workers.
 *
 * @packageDocumentation
 */
export { type ClientErrorCode, type ErrorBody, errorOf, SessionError } from "./errors.ts";
export { SessionManager, UNKNOWN } from "./manager.ts";
export type { ChannelLike, EventsLike, LocksLike, Platform, StorageLike } from "./platform.ts";
export type {
  CurrentSession,
  JsonInit,
  LoginOptions,
  OwnSession,
  SessionEvents,
  SessionManagerOptions,
  SessionStatus,
  SessionUser,
  Snapshot,
  WrongField,
} from "./types.ts";
