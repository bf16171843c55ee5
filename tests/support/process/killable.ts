// A server in a process group of its own, which can be killed at any moment and started again on the same data.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { Client } from "./client.ts";

const program = fileURLToPath(new URL("killable_main.mjs", import.meta.url));

export class Killable {
  private constructor(
    readonly client: Client,
    private readonly child: ChildProcess,
  ) {}

  static async start(persist: string, bindings: Record<string, string>): Promise<Killable> {
    const child = spawn(process.execPath, [program], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      env: { ...process.env, SALLYPORT_TEST: JSON.stringify({ bindings, persist }) },
    });
    const url = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const ready = /^ready (\S+)$/m.exec(text)?.[1];
        if (ready) resolve(ready);
      });
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
    });
    return new Killable(new Client(new URL(url), bindings.BOOTSTRAP_KEY ?? ""), child);
  }

  /** Runs a Cron Trigger. */
  async cron(expression: string): Promise<void> {
    const done = once(this.child, "message");
    this.child.send(expression);
    expect((await done)[0]).toBe("ok");
  }

  /** Kills it, the runtime included, without a chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null)
      return;
    const gone = once(this.child, "exit");
    process.kill(-this.child.pid, "SIGKILL");
    await gone;
  }
}
