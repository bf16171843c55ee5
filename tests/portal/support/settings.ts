// The settings that lead to the scripted portal and captcha service. No machine is called by their name: `fetch` is caught.
const URL = "https://upstreams.test";

/** Where the identity service may be, beside the portal's own host. */
export const IDENTITY_HOST = "identity.test";

export const portalSettings: Record<string, string> = {
  EMODAL_BASE_URL: `${URL}/portal`,
  EMODAL_HOSTS: IDENTITY_HOST,
  CAPTCHA_BASE_URL: `${URL}/captcha`,
  // As short as they go: calls that hang, and captchas that take a while, are waited for in real time.
  PORTAL_TIMEOUT_SECONDS: "1",
  CAPTCHA_POLL_MILLISECONDS: "5",
  CAPTCHA_TIMEOUT_SECONDS: "1",
};
