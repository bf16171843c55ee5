// The demo: shortly before the session ends for inactivity, and after it was ended elsewhere.
const NOW = new Date("2026-11-21T11:54:20Z");
const at = (time) => `2026-11-21T${time}Z`;

const current = {
  session_id: "1775ac2d".repeat(8),
  user_id: 2,
  username: "testuser",
  roles: ["user"],
  device_name: "Firefox on Linux",
  user_agent: "Mozilla/5.0",
  created_at: at("09:20:07"),
  auth_time: at("09:20:07"),
  last_activity: at("11:25:07"),
  expires_at: at("11:55:07"),
  idle_expires_at: at("11:55:07"),
  absolute_expires_at: "2026-12-21T09:20:07Z",
  inactivity_timeout: 1800,
  server_time: NOW.toISOString(),
};

const device = (id, device_name, last_activity, more = {}) => ({
  ...current,
  id,
  device_name,
  last_activity,
  ...more,
});

const sessions = [
  device(current.session_id, "Firefox on Linux", current.last_activity, { current: true }),
  device("2".repeat(64), "Safari on iPhone", at("11:41:52"), { current: false }),
  device("3".repeat(64), "Edge on Windows", at("08:03:19"), { current: false }),
];

export async function take(studio) {
  await studio.take("demo", {
    path: "/demo",
    now: NOW,
    answers: { "GET /auth/session": { json: current }, "GET /auth/sessions": { json: { sessions } } },
    arrange: async (page) => {
      await page.getByText("You will be logged out soon").waitFor();
      await page.getByText("Edge on Windows").waitFor();
    },
  });
  await studio.take("demo-ended", {
    path: "/demo",
    now: NOW,
    width: 520,
    height: 640,
    dark: true,
    answers: {
      "GET /auth/session": {
        status: 401,
        json: {
          code: "access_token_blacklisted",
          detail: "Access token has been revoked",
          reason: "evicted",
        },
      },
    },
    arrange: async (page) => {
      await page.getByText("A newer login took the place").waitFor();
      await page.getByLabel("User name").blur();
    },
  });
}
