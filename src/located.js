// Where objects are made and kept: JURISDICTION, LOCATION_HINT, UPSTREAM_LOCATION_HINT. Whoever reaches an object, a request or
// another object, has its namespace from here. Values are checked with all other settings; a wrong one has every request refused.

const NEAR_USERS = ["SESSION", "USER", "DIRECTORY", "TRAIL"];
const NEAR_UPSTREAMS = ["UPSTREAM", "ROSTER", "PORTAL", "PORTAL_REGISTRY"];

const set = (value) => (value && value !== "none" ? value : undefined);

// In place of a binding, under its name: what the `worker` crate takes for a binding has that class.
class DurableObjectNamespace {
  #namespace;
  #jurisdiction;
  #options;
  constructor(binding, jurisdiction, locationHint) {
    this.#namespace = jurisdiction ? binding.jurisdiction(jurisdiction) : binding;
    this.#jurisdiction = jurisdiction;
    this.#options = locationHint && { locationHint };
  }
  newUniqueId() {
    return this.#namespace.newUniqueId();
  }
  idFromName(name) {
    return this.#namespace.idFromName(name);
  }
  // An id of before the jurisdiction was set names an object elsewhere: nobody that is known here.
  idFromString(text) {
    const id = this.#namespace.idFromString(text);
    if (id.jurisdiction !== this.#jurisdiction) throw new TypeError("an id of another jurisdiction");
    return id;
  }
  // The hint counts where the object is not made yet.
  get(id) {
    return this.#options ? this.#namespace.get(id, this.#options) : this.#namespace.get(id);
  }
}

function make(env) {
  // The runtime of a developer's machine has no jurisdictions.
  const jurisdiction = env.ENVIRONMENT === "development" ? undefined : set(env.JURISDICTION);
  const hint = set(env.LOCATION_HINT);
  const nearUpstreams = set(env.UPSTREAM_LOCATION_HINT) ?? hint;
  if (!jurisdiction && !hint && !nearUpstreams) return env;
  const made = { ...env };
  // Made when it is asked for: what is wrong with it then is a store that cannot be asked.
  const put = (name, locationHint) => {
    let namespace;
    const get = () => (namespace ??= new DurableObjectNamespace(env[name], jurisdiction, locationHint));
    Object.defineProperty(made, name, { get });
  };
  for (const name of NEAR_USERS) put(name, hint);
  for (const name of NEAR_UPSTREAMS) put(name, nearUpstreams);
  return made;
}

// An instance has one environment, or one for each of its objects: the same one is asked for again and again.
let last;
let lastMade;

/** The environment, with its namespaces in their place. */
export function located(env) {
  if (env !== last) {
    lastMade = make(env);
    last = env;
  }
  return lastMade;
}
