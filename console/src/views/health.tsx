// How everything is: what fails, since when, what is being done about it; the last hour; the audit trail.
import * as ask from "../api/paths.ts";
import type { Health } from "../api/types.ts";
import { toneOf } from "../logic/life.ts";
import { learnTime } from "../ui/clock.ts";
import { useConsole } from "../ui/context.ts";
import { Freshness, Pill, Unreachable } from "../ui/parts.tsx";
import { type Polled, usePoll } from "../ui/poll.ts";
import { WhyItFails } from "./account.tsx";
import { AuditTrail } from "./audit.tsx";
import { LastHour } from "./last_hour.tsx";
import { nameOf, useAccounts } from "./tokens.tsx";

export const HEALTH_EVERY_MS = 30_000;

/** Also tells the clock what time it is there. */
export function useHealth(): Polled<Health> {
  const { conn } = useConsole();
  return usePoll(
    "health",
    async (signal) => {
      const askedAt = Date.now();
      const health = await conn.call<Health>(ask.health, { passive: true, signal });
      learnTime(health.timestamp, askedAt);
      return health;
    },
    HEALTH_EVERY_MS,
  );
}

export function HealthView({ health }: { health: Polled<Health> }) {
  const { t } = useConsole();
  return (
    <>
      <div class="bar-above">
        <h1>{t.views.health}</h1>
      </div>
      <Freshness of={health} />
      {health.data && <Counts health={health.data} />}
      <WhatFails />
      <LastHour />
      <AuditTrail />
    </>
  );
}

function Counts({ health }: { health: Health }) {
  const { t } = useConsole();
  return (
    <ul class="counts">
      <li class="card">
        <span class="faint">{t.health}</span>
        <b>{health.status === "healthy" ? t.healthy : t.degraded}</b>
        <span class="faint">
          {t.version} {health.version}
        </span>
      </li>
      {Object.entries(health.upstreams).map(
        ([provider, counts]) =>
          counts &&
          counts.total + (counts.misconfigured ?? 0) > 0 && (
            <li key={provider} class={`card ${counts.failed > 0 || counts.misconfigured ? "bad" : ""}`}>
              <span class="faint">{provider}</span>
              <b>{t.healthyOf(counts.healthy, counts.total)}</b>
              {counts.misconfigured ? (
                <span class="not-ok">{t.misconfigured(counts.misconfigured)}</span>
              ) : null}
            </li>
          ),
      )}
      <li class="card">
        <span class="faint">{t.views.portal}</span>
        <b>
          {health.active_sessions === null
            ? t.unknown
            : t.portalCount(health.active_sessions, health.persistent_sessions ?? 0)}
        </b>
      </li>
    </ul>
  );
}

function WhatFails() {
  const { t, go } = useConsole();
  const polled = useAccounts();
  const failing = polled.data?.accounts.filter(({ status }) => status !== "valid");
  return (
    <section class="card">
      <h2>{t.whatFails}</h2>
      <Freshness of={polled} scope="tokens:read" />
      {failing?.length === 0 && <p class="empty ok">{t.nothingFails}</p>}
      <Unreachable names={polled.data?.unreachable} />
      <ul class="plain">
        {failing?.map((account) => (
          <li key={nameOf(account)} class="failing">
            <div class="row">
              <button
                type="button"
                class="link"
                onClick={() => go({ view: "tokens", with: { account: nameOf(account) } })}
              >
                {nameOf(account)}
              </button>
              <Pill tone={toneOf(account.status)}>{t.status[account.status] ?? account.status}</Pill>
              <span class="faint">{t.meaning[account.status]}</span>
            </div>
            {account.last_error && <WhyItFails account={account} error={account.last_error} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
