// Every upstream account as a bar of its token's life.
import { useState } from "preact/hooks";
import * as ask from "../api/paths.ts";
import type { Account, AccountPage } from "../api/types.ts";
import type { Connection } from "../api/call.ts";
import { countdown, local, utc } from "../logic/format.ts";
import { byUrgency, lifeOf, toneOf } from "../logic/life.ts";
import { useNow } from "../ui/clock.ts";
import { useConsole } from "../ui/context.ts";
import { Freshness, Pill, Unreachable } from "../ui/parts.tsx";
import { type Polled, usePoll } from "../ui/poll.ts";
import { AccountDetails } from "./account.tsx";

export const TOKENS_EVERY_MS = 15_000;
/** More than anybody looks at; the pages after it are left out, and the view says so. */
const MAX_PAGES = 20;

export const nameOf = ({ provider, account_id }: Pick<Account, "provider" | "account_id">): string =>
  `${provider}/${account_id}`;

/** All pages. */
export async function readAccounts(conn: Connection, signal: AbortSignal) {
  const accounts: Account[] = [];
  const unreachable: string[] = [];
  let cursor: string | null = null;
  let total = 0;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer: AccountPage = await conn.call(ask.tokens.list(cursor), { passive: true, signal });
    accounts.push(...answer.accounts);
    unreachable.push(...(answer.unreachable ?? []));
    total = answer.total;
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return { accounts: accounts.sort(byUrgency), total, unreachable };
}

export type Accounts = Awaited<ReturnType<typeof readAccounts>>;

export function useAccounts(): Polled<Accounts> {
  const { conn } = useConsole();
  return usePoll("tokens", (signal) => readAccounts(conn, signal), TOKENS_EVERY_MS);
}

export function TokensView() {
  const { t, place } = useConsole();
  const polled = useAccounts();
  const [text, setText] = useState("");
  const [status, setStatus] = useState<string | null>(null);
  const accounts = polled.data?.accounts ?? [];
  const counts = new Map<string, number>();
  for (const account of accounts) counts.set(account.status, (counts.get(account.status) ?? 0) + 1);
  const fits = (account: Account) =>
    (status === null || account.status === status) && nameOf(account).includes(text.trim());
  const shown = accounts.filter(fits);
  return (
    <>
      <div class="bar-above">
        <h1>{t.views.tokens}</h1>
        {polled.data && (
          <div class="chips" role="group" aria-label={t.filterAccounts}>
            <button type="button" aria-pressed={status === null} onClick={() => setStatus(null)}>
              {t.all} <span class="num">{polled.data.total}</span>
            </button>
            {[...counts].map(([name, count]) => (
              <button
                key={name}
                type="button"
                aria-pressed={status === name}
                onClick={() => setStatus(status === name ? null : name)}
              >
                <span class={`dot ${toneOf(name)}`} /> {t.status[name as Account["status"]] ?? name}{" "}
                <span class="num">{count}</span>
              </button>
            ))}
          </div>
        )}
        <input
          type="search"
          class="filter"
          aria-label={t.filterAccounts}
          placeholder={t.filterAccounts}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <Freshness of={polled} scope="tokens:read" />
      <Unreachable names={polled.data?.unreachable} />
      {polled.data && polled.data.total === 0 && <p class="empty">{t.noAccounts}</p>}
      {accounts.length > 0 && shown.length === 0 && <p class="empty">{t.noneFits}</p>}
      <ul class="accounts">
        {shown.map((account) => (
          <AccountRow
            key={nameOf(account)}
            account={account}
            open={place.with.account === nameOf(account)}
            again={polled.again}
          />
        ))}
      </ul>
    </>
  );
}

function AccountRow({ account, open, again }: { account: Account; open: boolean; again(): void }) {
  const { t, go } = useConsole();
  const name = nameOf(account);
  return (
    <li class={`card account ${toneOf(account.status)}`}>
      <div class="account-head">
        <button
          type="button"
          class="disclose"
          aria-expanded={open}
          onClick={() => go({ view: "tokens", with: open ? {} : { account: name } })}
        >
          <span class="chevron" aria-hidden="true" />
          <span class="account-name">
            <b>{account.account_id}</b>
            <span class="faint">{account.provider}</span>
          </span>
        </button>
        <Pill tone={toneOf(account.status)}>{t.status[account.status] ?? account.status}</Pill>
        <LifeBar account={account} />
      </div>
      {open && <AccountDetails account={account} again={again} />}
    </li>
  );
}

/** Numbers beside it say the same as the picture. */
export function LifeBar({ account }: { account: Account }) {
  const { t, lang } = useConsole();
  const now = useNow();
  const life = lifeOf(account, now);
  const renewal = account.next_renewal_at ? Date.parse(account.next_renewal_at) : null;
  const left = renewal === null ? null : renewal - now;
  const renewalText =
    left === null ? t.noRenewal : left <= 0 ? t.renewalDue : `${t.renewalIn} ${countdown(left, t.day)}`;
  if (life === null)
    return (
      <div class="life">
        <div class="track none" />
        <div class="ends">
          <span>{t.noToken}</span>
          <span>{renewalText}</span>
        </div>
      </div>
    );
  const percent = (n: number) => `${n.toFixed(3)}%`;
  const expiry = Date.parse(account.expires_at ?? "");
  return (
    <div class="life">
      <div
        class={`track ${life.isOver ? "over" : ""}`}
        role="img"
        aria-label={`${t.barOf(nameOf(account))}: ${Math.floor(life.now)} %`}
      >
        <span class="lived" style={{ width: percent(Math.min(life.now, life.expiry)) }} />
        {life.gap && (
          <span
            class="gap"
            style={{ left: percent(life.gap.from), width: percent(life.gap.to - life.gap.from) }}
          />
        )}
        {life.gap && <span class="mark expiry" style={{ left: percent(life.expiry) }} />}
        {life.renewal !== null && (
          <span
            class="mark renewal"
            style={{ left: percent(life.renewal) }}
            title={`${t.renewal}: ${utc(renewal ?? 0)}`}
          />
        )}
        <span class="mark now" style={{ left: percent(life.now) }} title={`${t.now}: ${utc(now)}`} />
      </div>
      <div class="ends num">
        <span title={utc(life.from)}>
          {account.issued_at && (
            <>
              <span class="visually-hidden">{t.issued} </span>
              {local(life.from, now, lang)}
            </>
          )}
        </span>
        <span class="renewal-text">
          {renewal !== null && <span class="key renewal" aria-hidden="true" />} {renewalText}
        </span>
        <span title={utc(expiry)}>
          {life.isOver ? (
            <>
              {t.expiredFor} {local(expiry, now, lang)}
            </>
          ) : (
            <>
              {t.expiresIn} {countdown(expiry - now, t.day)}
            </>
          )}
        </span>
      </div>
    </div>
  );
}
