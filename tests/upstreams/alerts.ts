// A receiver of alerts, signed as Standard Webhooks has it.
import { utc } from "./clock.ts";
import { base64, hmac } from "./crypto.ts";
import { jsonObject, notAllowed } from "./http.ts";
import type { Alert, Answer, Ask, Fake, Operation, World } from "./types.ts";

const TOLERANCE_SECONDS = 300;

export class Alerts implements Fake {
  /** Those received, oldest first. */
  readonly received: Alert[] = [];
  #world: World;
  #secret: string;
  #keep: number;
  #accepted = new Set<string>();

  constructor(world: World, secret: string, keep: number) {
    this.#world = world;
    this.#secret = secret;
    this.#keep = keep;
  }

  identify({ path }: Ask): { operation: Operation } {
    return { operation: path === "" || path === "/" ? "alert" : "unknown" };
  }

  /** Records it; 401 if the signature is wrong, else the status that the switch says. */
  async answer({ method, path, headers, text }: Ask): Promise<Answer> {
    if (path !== "" && path !== "/") return { status: 404, json: this.error(404) };
    if (method !== "POST") return notAllowed("POST", this.error(405));
    const { status: wanted, unsigned } = this.#world.switches.alerts;
    const id = headers.get("webhook-id") ?? "";
    const timestamp = headers.get("webhook-timestamp") ?? "";
    const verified = await this.#verified(id, timestamp, text, headers.get("webhook-signature") ?? "");
    const status = verified || unsigned === "accept" ? wanted : 401;
    const age = Math.abs(Number(timestamp || "NaN") - this.#world.now() / 1000);
    const duplicate = this.#accepted.has(id);
    if (status < 300 && id !== "") this.#accepted.add(id);
    this.received.push({
      ...{ at: utc(this.#world.now()), id, headers: Object.fromEntries(headers), body: text },
      ...{ verified, timely: age <= TOLERANCE_SECONDS, duplicate, status },
    });
    if (this.received.length > this.#keep) this.received.shift();
    const gave = [
      typeOf(text),
      verified ? "verified" : "not verified",
      duplicate ? "seen before" : "",
    ].filter(Boolean);
    return { status, ...(status === 204 ? {} : { json: this.error(status) }), gave: gave.join(", ") };
  }

  async #verified(id: string, timestamp: string, text: string, signatures: string): Promise<boolean> {
    const right = base64(await hmac(secretBytes(this.#secret), "SHA-256", `${id}.${timestamp}.${text}`));
    return id !== "" && /^\d+$/.test(timestamp) && signatures.split(" ").includes(`v1,${right}`);
  }

  error = (status: number): unknown => ({ message: `status ${status}` });

  alive = (): boolean => false;

  revoke = (): number => 0;

  reset(): void {
    this.received.length = 0;
    this.#accepted.clear();
  }
}

/** What it is about, for whoever reads along. */
function typeOf(text: string): string {
  const { type } = jsonObject(text);
  return typeof type === "string" ? type : "";
}

const secretBytes = (secret: string): string | Uint8Array =>
  secret.startsWith("whsec_") ? Uint8Array.from(atob(secret.slice(6)), (char) => char.charCodeAt(0)) : secret;
