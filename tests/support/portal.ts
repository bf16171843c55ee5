// What all tests of portal sessions share.

/** Where the portal's identity service may be, beside the portal's own host. */
export const IDENTITY_HOST = "identity.test";

export interface PortalUser {
  username: string;
  password: string;
  captcha_api_key: string;
}

/** Somebody whom the fake portal knows: it takes every name whose password follows from it. */
export const portalUser = (username: string, captcha_api_key = `ck-${username}`): PortalUser => ({
  username,
  password: `${username}-pass`,
  captcha_api_key,
});
