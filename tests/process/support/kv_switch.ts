// KV with a switch: works, fails, or is stale as it may be for a minute in production. A binding of this kind stands in
// place of the real one; the test holds the switch.

export type Mode = "works" | "fails" | "stale";

export const KV_SWITCH = {
  name: "kv-switch",
  modules: true,
  kvNamespaces: { INNER: "sallyport-kv" },
  script: `
    // The runtime's own class has this name, and the Worker looks at it.
    class KvNamespace {
      constructor(env) { this.env = env; }
      async mode() { return (await this.env.SWITCH.fetch("http://switch/")).text(); }
      async run(name, args, whenStale) {
        const mode = await this.mode();
        if (mode === "fails") throw new Error("KV " + name.toUpperCase() + " failed: 503 Service Unavailable");
        if (mode === "stale" && whenStale !== undefined) return whenStale;
        return this.env.INNER[name](...args);
      }
      get(...args) { return this.run("get", args, null); }
      getWithMetadata(...args) { return this.run("getWithMetadata", args, { value: null, metadata: null }); }
      put(...args) { return this.run("put", args); }
      delete(...args) { return this.run("delete", args); }
      list(...args) { return this.run("list", args, { keys: [], list_complete: true }); }
    }
    export default (env) => new KvNamespace(env);
  `,
};
