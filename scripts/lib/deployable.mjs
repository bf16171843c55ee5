// What keeps wrangler.toml from being deployed.

/** Settings that only development has, and the values of them that a deployment may have. */
const DEVELOPMENT = { ENVIRONMENT: "production", MOCK_ROUTES: "off", SERVICE_AUTH: "on" };
/** In `vars` anybody who may see the configuration reads them. */
const SECRETS = /_(KEYS?|SECRET|APPS|ACCOUNTS)$/;
const THIS_MACHINE = /\b(localhost|127\.0\.0\.1)\b/;
/** As it comes, before anybody has made a namespace. */
const NO_NAMESPACE = /^0+$/;

/**
 * One text for each; none if it may be deployed. A dry run goes nowhere, so it needs no namespace.
 * @param {{ vars?: object, kv_namespaces?: { binding: string, id?: string }[] }} config
 */
export function faultsOf({ vars = {}, kv_namespaces = [] }, { dry = false } = {}) {
  const faults = Object.entries(vars).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (Object.hasOwn(DEVELOPMENT, name) && text !== DEVELOPMENT[name])
      return [`${name} is "${text}", which is for development`];
    if (SECRETS.test(name)) return [`${name} is a secret: \`npx wrangler secret put ${name}\``];
    return THIS_MACHINE.test(text) ? [`${name} leads to this machine`] : [];
  });
  const unmade = kv_namespaces.filter(({ id }) => !dry && NO_NAMESPACE.test(id ?? "0"));
  return [
    ...faults,
    ...unmade.map(
      ({ binding }) => `${binding} has no namespace: \`npx wrangler kv namespace create ${binding}\``,
    ),
  ];
}
