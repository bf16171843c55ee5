// What grows with what is stored, and what does not.
import { againstAccounts } from "./cron.mjs";
import { againstLimit } from "./limit.mjs";
import { againstSessions } from "./sessions.mjs";

const SESSIONS = [100, 1_000, 10_000];
const MANY_SESSIONS = 100_000;
const ACCOUNTS = [10, 100, 1_000];
const LIMITS = [1, 5, 20, 100];

export async function growth(state, { dist, long, quick, seconds }) {
  const few = (sizes) => (quick ? sizes.slice(0, -1) : sizes);
  const sessions = long ? [...SESSIONS, MANY_SESSIONS] : few(SESSIONS);
  return {
    limit: await againstLimit(state, { dist, sizes: few(LIMITS), seconds }),
    accounts: await againstAccounts(state, { dist, sizes: few(ACCOUNTS), seconds }),
    sessions: await againstSessions(state, { dist, sizes: sessions, seconds }),
  };
}
