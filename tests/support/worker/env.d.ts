// What the tests see of the Worker: its bindings and what its entry exports.
declare namespace Cloudflare {
  type Commanded = import("cloudflare:workers").DurableObject & {
    command(json: string): string;
    ask(json: string): Promise<string>;
  };
  interface GlobalProps {
    mainModule: typeof import("../../../src/entry.js");
    durableNamespaces: "Session" | "User" | "Directory" | "Upstream" | "Roster" | "Portal" | "PortalRegistry";
  }
  interface Env {
    SESSION: DurableObjectNamespace<Commanded>;
    USER: DurableObjectNamespace<Commanded>;
    DIRECTORY: DurableObjectNamespace<Commanded>;
    UPSTREAM: DurableObjectNamespace<Commanded>;
    ROSTER: DurableObjectNamespace<Commanded>;
    PORTAL: DurableObjectNamespace<Commanded>;
    PORTAL_REGISTRY: DurableObjectNamespace<Commanded>;
    KV: KVNamespace;
    TOKEN_SIGNING_KEYS: string;
    SEALING_KEYS: string;
    BOOTSTRAP_KEY: string;
    UPSTOX_NOTIFIER_SECRET: string;
  }
}
