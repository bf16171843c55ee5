// Files with secrets in them: readable by their owner only, from the first byte on.
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";

/** The file's text, or null where there is none. */
export function readPrivate(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

/** Written beside and moved into place, so that an interrupted run leaves the old file whole. */
export function writePrivate(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, path);
}

/** 256 random bits as text that needs no quoting anywhere. */
export const randomSecret = () => randomBytes(32).toString("base64url");

/** 120 random bits: long enough to be out of reach, short enough to be typed. */
export const randomPassword = () => randomBytes(15).toString("base64url");
