// Somebody whom the fake portal knows: it takes every name whose password follows from it.

export interface PortalUser {
  username: string;
  password: string;
  captcha_api_key: string;
}

export const portalUser = (username: string, captcha_api_key = `ck-${username}`): PortalUser => ({
  username,
  password: `${username}-pass`,
  captcha_api_key,
});
