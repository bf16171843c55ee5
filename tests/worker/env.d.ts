// What the tests see of the Worker: its bindings and what its entry exports.
declare namespace Cloudflare {
  type Commanded = import("cloudflare:workers").DurableObject & { command(json: string): string };
  interface GlobalProps {
    mainModule: typeof import("../../src/entry.js");
    durableNamespaces: "Session" | "User" | "Directory";
  }
  interface Env {
    SESSION: DurableObjectNamespace<Commanded>;
    USER: DurableObjectNamespace<Commanded>;
    DIRECTORY: DurableObjectNamespace<Commanded>;
    KV: KVNamespace;
    TOKEN_SIGNING_KEYS: string;
    SEALING_KEYS: string;
    BOOTSTRAP_KEY: string;
  }
}
