// What the tests see of the Worker besides its bindings (bindings.d.ts, made by `npm run cf-typegen`): the settings of vitest.config.ts.
declare namespace Cloudflare {
  interface Env {
    TOKEN_SIGNING_KEYS: string;
    SEALING_KEYS: string;
    BOOTSTRAP_KEY: string;
    UPSTOX_NOTIFIER_SECRET: string;
    UPSTOX_ACCOUNT_IDS: string;
    METRICS: AnalyticsEngineDataset;
  }
}
