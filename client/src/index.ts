/**
 * Sessions of Sallyport in browsers, Node and Workers.
 *
 * @packageDocumentation
 */
export { type AnyCode, type ClientErrorCode, type ErrorBody, errorOf, SessionError } from "./errors.ts";
export { type ErrorActions, type Language, messageOf, SessionErrorHandler } from "./handler.ts";
export { SessionManager, UNKNOWN } from "./manager.ts";
export type { ChannelLike, EventsLike, ListenOptions, LocksLike, Platform, StorageLike } from "./platform.ts";
export type {
  CurrentSession,
  EndReason,
  ErrorCode,
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
