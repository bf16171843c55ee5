// Generated from docs/openapi.json by openapi-typescript: `npm run client -- --write`.

export interface paths {
  "/.well-known/jwks.json": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The public keys of tokens (RFC 7517). None with `JWT_ALG=HS256`.
     * `Cache-Control` lets it be kept for five minutes, and any web page may read it.
     */
    get: operations["jwks"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/.well-known/oauth-authorization-server": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The metadata of the issuer (RFC 8414). 404 `issuer_not_url` unless `TOKEN_ISSUER` is an https URL.
     * Where that URL has a path, it follows here. `Cache-Control` lets it be kept for five minutes, and any web page may read it.
     */
    get: operations["metadata"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/.well-known/openid-configuration": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The same document, for software that looks only here. There are no ID tokens. */
    get: operations["openidConfiguration"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The Upstox accounts and what their tokens are like, in the order of the settings. */
    get: operations["listAccounts"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/history": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** The last operations, the newest first. */
    get: operations["tokenHistory"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/refresh": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** A new token, although the held one may be good. */
    post: operations["refreshToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** A token that is valid now, renewed first if need be. */
    get: operations["readToken"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token/exchange": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Changes an authorization code for a token. 503 `token_unavailable` where the account has no app. */
    post: operations["exchangeCode"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token/request": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Asks the account's owner to approve a token, which the webhook brings. 503 `token_unavailable` where the account has no app. */
    post: operations["requestToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token/status": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** What the token is like; never the token. */
    get: operations["tokenStatus"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token/update": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Takes over a token, if Upstox accepts it. Else nothing is stored. */
    post: operations["updateToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/accounts/{account_id}/token/validate": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** Asks Upstox whether the held token is accepted. If it cannot say, the answer is an error. */
    get: operations["validateToken"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/audit": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The audit records of the last 24 hours, the newest first.
     * A copy of what the log has, and of alerts about upstream tokens; a record is there a second after it was written. 404 where `AUDIT_TRAIL` is `off`. `complete_since` and `left_out` say what may be missing.
     */
    get: operations["auditTrail"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/portal-pages/{portal}/{login}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the log names the login: `emodal/…`. */
        portal: string;
        /** As the log names the login: `emodal/…`. */
        login: string;
      };
      cookie?: never;
    };
    /** The last page of a failed step at a portal, for an hour. */
    get: operations["portalPage"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/sealing-keys": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The keys that seal what is stored, those configured and those still in use. */
    get: operations["sealingKeys"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/service-keys": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** All service keys, the oldest first; those that have ended for 30 days more. */
    get: operations["listServiceKeys"];
    put?: never;
    /** Makes a service key, and shows it this once. */
    post: operations["createServiceKey"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/service-keys/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Revokes a service key. It may be let in for less than 10 seconds more. */
    delete: operations["revokeServiceKey"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/service-keys/{id}/rotate": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Makes a service key that takes a good one's place, and shows it this once.
     * It has the name, the scopes and the length of life of the other, which stays good for `overlap_hours`.
     */
    post: operations["rotateServiceKey"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/sessions/active": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Live sessions, of one user or of all. */
    get: operations["activeSessions"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/sessions/cleanup": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Ends what a lost alarm left behind, a bounded number at a time. */
    post: operations["cleanup"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/sessions/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    /**
     * One session: how it is, or why it ended.
     * What ended is known for 30 days, and by KV for as long as its tokens could have been valid.
     */
    get: operations["readSession"];
    put?: never;
    post?: never;
    /** Ends one session. */
    delete: operations["closeSession"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/subjects/{subject}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** Such as `VPB-SME-1234567890`. */
        subject: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Ends all sessions of somebody externally authenticated; with the last one the document goes. */
    delete: operations["eraseSubject"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/subjects/{subject}/sessions": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** Such as `VPB-SME-1234567890`. */
        subject: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Ends all sessions of somebody externally authenticated. */
    delete: operations["closeSubjectSessions"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/users": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Users in the order of their ids. */
    get: operations["listUsers"];
    put?: never;
    /** Makes a user. With the bootstrap key, the first admin. */
    post: operations["createUser"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/users/{username}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    /** One user. */
    get: operations["readUser"];
    put?: never;
    post?: never;
    /** Removes a user, with the sessions and the document. */
    delete: operations["deleteUser"];
    options?: never;
    head?: never;
    /**
     * Changes a user.
     * Disabling, or a new password, ends the user's sessions before the answer.
     */
    patch: operations["updateUser"];
    trace?: never;
  };
  "/admin/users/{username}/reset": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Makes a user an admin with a new password, once for each value of the secret.
     * The user becomes active, and all of their sessions end.
     */
    post: operations["resetAdmin"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/users/{username}/sessions": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Ends all sessions of a user. */
    delete: operations["closeUserSessions"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/admin/users/{username}/unlock": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Forgets the failures of a user's logins. The password and the sessions stay. */
    post: operations["unlockUser"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/corporate/relationship-management/marketing/v1/customer/validate-session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** The mock of the service that verifies external tokens. 404 `not_found` unless `MOCK_ROUTES` is `on`. */
    post: operations["mockValidateSession"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/data": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The caller's document, as it was written; an empty object before anything was stored. */
    get: operations["readData"];
    put?: never;
    /** Puts a document in place of the caller's. */
    post: operations["writeData"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/facturify/auth/token": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** A token that is valid now, renewed first if need be. */
    get: operations["readFacturifyToken"];
    put?: never;
    /**
     * A token from scratch. It is a short one, and is changed for a long one some seconds later.
     * If a renewal is under way, what that brings.
     */
    post: operations["obtainFacturifyToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/facturify/auth/token/history": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The last operations, the newest first. */
    get: operations["facturifyTokenHistory"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/facturify/auth/token/refresh": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** A long token for the held one; where that is refused, from scratch. */
    post: operations["refreshFacturifyToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/facturify/auth/token/status": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the token is like; never the token. */
    get: operations["facturifyTokenStatus"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/postlogin/health": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Says that these routes are served. Asks nobody. */
    get: operations["postLoginHealth"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/postlogin/init-session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Begins a session for somebody whom another system has logged in.
     * With a valid access token of an older session of the same subject as bearer, that session is replaced.
     */
    post: operations["initSession"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/postlogin/renew-token": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Has the external token verified again, and changes the refresh token for a new pair. */
    post: operations["renewSession"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/protected": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Greets the caller. */
    get: operations["protected"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/tokens": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The accounts of all providers and what their tokens are like; never the tokens. */
    get: operations["listTokens"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/tokens/{provider}/{account_id}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** A token that is valid now, renewed first if need be. */
    get: operations["readAnyToken"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/tokens/{provider}/{account_id}/history": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** The last operations, the newest first. */
    get: operations["anyTokenHistory"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/tokens/{provider}/{account_id}/refresh": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** A new token, although the held one may be good. 503 `approval_pending` if somebody has to approve it first. */
    post: operations["refreshAnyToken"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/api/v1/tokens/{provider}/{account_id}/status": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    /** What the token is like; never the token. */
    get: operations["anyTokenStatus"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/login": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Logs a user in.
     * With a valid access token of an older session of the same user as bearer, that session is replaced. With `cookie` the tokens are in two `Set-Cookie`, a cookie replaces like a bearer, and the request has to be sent by a page of this origin or of one in `ALLOWED_ORIGINS`.
     */
    post: operations["login"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/logout": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ends the caller's session. 200 also if it is over already.
     * The bearer is an access token, which may have expired; so is the cookie. A browser's cookies are taken away, with `Clear-Site-Data`. Without either, `refresh_token` says whose session it is.
     */
    post: operations["logout"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/logout-all": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Ends all of the caller's sessions.
     * With `keep_current`, a user must have logged in recently.
     */
    post: operations["logoutAll"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/password": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Changes the caller's password, and ends the caller's other sessions.
     * Without a bearer, for the user that `username` names, and all sessions end.
     */
    post: operations["changePassword"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/profile": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The caller. */
    get: operations["profile"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/reauthenticate": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Takes the password once more, in a session that goes on, and gives it new tokens.
     * Their `auth_time` is the time of this request. Attempts count as those of logins do.
     */
    post: operations["reauthenticate"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/refresh": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Changes a refresh token for a new pair.
     * Without `refresh_token` in the body both cookies are read, which have to be of one session; the new tokens are then in two `Set-Cookie`.
     */
    post: operations["refresh"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * The caller's session: whose it is, and when it ends.
     * With `X-Session-Passive: 1` it is asked about without being used.
     */
    get: operations["currentSession"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/sessions": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** The caller's live sessions. */
    get: operations["ownSessions"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/sessions/{id}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Ends one of the caller's sessions.
     * To end another one than that of the token, a user must have logged in recently.
     */
    delete: operations["closeOwnSession"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/auth/verify": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    get: operations["verify"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    put: operations["verify-put"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    post: operations["verify-post"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    delete: operations["verify-delete"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    options: operations["verify-options"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    head: operations["verify-head"];
    /** Forward authentication, for proxies. No answer but 405 has a body. Every method asks the same, `OPTIONS` too. */
    patch: operations["verify-patch"];
    trace?: never;
  };
  "/check_appointments": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * The times at which an appointment could be made.
     * Fills in the portal's first two forms, and books nothing. What is missing is 400 `appointment_incomplete`.
     */
    post: operations["checkAppointments"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/debug/session-info": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the service knows of the caller's session. 404 `not_found` if `DEBUG_ROUTES` is `off`. */
    get: operations["sessionInfo"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/get_container_timeline": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** What has happened to a container. */
    post: operations["getContainerTimeline"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/get_containers": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * The containers that the portal lists.
     * Reads page after page, until there is what was wanted.
     */
    post: operations["getContainers"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/get_session": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * The live session of these credentials, or a new one.
     * However many ask with the same credentials, the portal sees one login. A login takes as long as its captcha.
     */
    post: operations["getPortalSession"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/health": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Says that this instance has its settings and answers, how the upstream accounts are, and how many portal sessions there are.
     * Asks two objects, and at most once a second; none for what is not configured.
     */
    get: operations["health"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/make_appointment": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Books an appointment.
     * Sends the last form once, and never again by itself. 502 `portal_outcome_unknown` means that it may be booked or not.
     */
    post: operations["makeAppointment"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/metrics": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * How the deployment is, in the text format of Prometheus.
     * Asks what `/health` asks, at most once a second. What could not be asked is left out, and `sallyport_known` is 0.
     */
    get: operations["metrics"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/oauth/introspect": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Says whether a token would be accepted now (RFC 7662).
     * `token` may be given up to 20 times; the answer has `tokens` then. To be asked about is no activity of a session. A refresh token is active while it is the newest of its session.
     */
    post: operations["introspect"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/oauth/revoke": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Ends the session of a token (RFC 7009). 200 also for what is no token. */
    post: operations["revoke"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/oauth/token": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Gives tokens for a refresh token (RFC 6749), or for another system's token (RFC 8693).
     * A refresh token is exchanged as by `/auth/refresh` or `/api/v1/postlogin/renew-token`, without client authentication, or with any good service key. The token exchange begins a session as `/api/v1/postlogin/init-session` does, and is for services whose key has the scope `sessions:exchange`.
     */
    post: operations["token"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/portals/{portal}/{operation}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `emodal`, or a name in `PORTALS`. */
        portal: string;
        /** As the portal's document names it. */
        operation: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * An operation of a portal, as its document declares it.
     * Its own fields and the other members of its answer are those of the portal's document.
     */
    post: operations["runPortalOperation"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sessions": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * All live portal sessions, the oldest first.
     * To a key of the scope `portal:own`, those of the logins that it opened itself; each other one is 404 to it on all routes.
     */
    get: operations["listPortalSessions"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sessions/{session_id}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /** Closes a portal session, here and at the portal. */
    delete: operations["closePortalSession"];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sessions/{session_id}/screenshots/{name}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
        /** As a list or an answer has it. */
        name: string;
      };
      cookie?: never;
    };
    /**
     * A screenshot that an operation with `debug` has kept.
     * Until it expires, also if its session has ended within 24 hours.
     */
    get: operations["portalScreenshot"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/sessions/{session_id}/state": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
      };
      cookie?: never;
    };
    /**
     * The cookies of a portal session, and what its pages have stored.
     * In the shape of Playwright's `storageState`. With the scope `portal:state`, beside the one that says whose sessions the key may use.
     */
    get: operations["portalSessionState"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/token/status": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** What the token is like; never the token. */
    get: operations["tokenStatusOfDefault"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/token/update": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Takes over a token, if Upstox accepts it. Else nothing is stored. */
    post: operations["updateTokenOfDefault"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/token/validate": {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Asks Upstox whether the held token is accepted. If it cannot say, the answer is an error. */
    get: operations["validateTokenOfDefault"];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  "/upstox/notifier/{secret}": {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `UPSTOX_NOTIFIER_SECRET`. */
        secret: string;
      };
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** The webhook of Upstox that brings an approved token. Without the right secret there is no such route. */
    post: operations["notify"];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    AccountName: string;
    /** How an account is. Never the token. */
    AccountStatus: {
      /** In the list of all accounts, and of Upstox. */
      account_id?: components["schemas"]["AccountName"] | null;
      /** Until when the owner can approve a token. Not of Facturify. */
      approval_until?: components["schemas"]["Time"] | null;
      expires_at: components["schemas"]["Time"] | null;
      /**
       * Format: uint64
       * Of Facturify: the life that it gave the token, in seconds. 0 without a valid one.
       */
      expires_in?: number | null;
      /** The end of a token that lives longer than the day, where there is one. */
      extended_until?: components["schemas"]["Time"] | null;
      /** Whether there is a token that is valid. */
      has_token: boolean;
      /** In the list of all accounts: when the token was obtained. */
      issued_at?: components["schemas"]["Time"] | null;
      /** Not of Facturify. */
      last_check?: components["schemas"]["LastCheck"] | null;
      last_error: components["schemas"]["LastError"] | null;
      next_renewal_at: components["schemas"]["Time"] | null;
      /** In the list of all accounts. */
      provider?: string | null;
      source: components["schemas"]["Source"] | null;
      status: components["schemas"]["Health"];
      /**
       * Format: uint64
       * In seconds.
       */
      ttl: number;
      /** Of Upstox: whose token it is. */
      user_id?: string | null;
    };
    /** A page of accounts. */
    Accounts: {
      accounts: components["schemas"]["AccountStatus"][];
      /** For the next page; null on the last one. */
      next_cursor: components["schemas"]["AccountName"] | null;
      /**
       * Format: uint
       * How many are configured.
       */
      total: number;
    };
    /** A page of live sessions. One of all users may hold fewer than were asked for, or none, and still have a next one. */
    ActiveSessions: {
      /**
       * Format: uint
       * How many this page has.
       */
      active_sessions: number;
      /** For the next page; null on the last one. */
      next_cursor: string | null;
      sessions: components["schemas"]["Session"][];
      /** There where something could not be asked: ids of sessions, names of users, `KV`. */
      unreachable?: string[];
      /** The user that was asked for by id. */
      user_id: components["schemas"]["UserId"] | null;
    };
    /** What an operation of any portal answers. */
    Answered: {
      debug?: components["schemas"]["Debug"] | null;
      is_new_session: boolean;
      session_id: components["schemas"]["PortalId"];
      success: boolean;
    } & {
      [key: string]: unknown;
    };
    /** A page of accounts of all providers. */
    AnyAccounts: {
      accounts: components["schemas"]["AccountStatus"][];
      /** For the next page; null on the last one. */
      next_cursor: string | null;
      /**
       * Format: uint
       * How many are configured.
       */
      total: number;
      /** There where something could not be asked: `provider/account_id`. */
      unreachable?: string[];
    };
    /** A session that was asked for by its id: how it is, or why it ended. */
    AnySession: components["schemas"]["Session"] | components["schemas"]["EndedSession"];
    /** A booked appointment. */
    Appointment: {
      appointment_confirmed: boolean;
      /** What the portal shows as the confirmation, by its own words. */
      appointment_details: {
        [key: string]: unknown;
      };
      debug?: components["schemas"]["Debug"] | null;
      is_new_session: boolean;
      session_id: components["schemas"]["PortalId"];
      success: boolean;
    };
    /** Times that an appointment can be made at. */
    AppointmentTimes: {
      /** To go on with. Not there if it could not be kept. */
      appointment_session_id?: string | null;
      /** Texts of the portal. One of them is given back as `appointment_time`, as it is. */
      available_times: string[];
      /** Format: uint64 */
      count: number;
      debug?: components["schemas"]["Debug"] | null;
      is_new_session: boolean;
      session_id: components["schemas"]["PortalId"];
      success: boolean;
    };
    /** The owner has been asked to approve a token. The webhook brings it. */
    ApprovalRequested: {
      account_id: components["schemas"]["AccountName"];
      approval_until: components["schemas"]["Time"] | null;
      message: string;
      success: boolean;
    };
    /**
     * A record, with the members that its log line has. Texts are cut after 200 characters. It is passed on as it is stored; this is what
     *     the docs say of it.
     */
    AuditRecord: {
      /** The upstream account. */
      account?: string | null;
      /** What was done; of an alert about an upstream token, the type of its event. */
      action: string;
      /** The user who did it. */
      actor?: components["schemas"]["UserId"] | null;
      /** The client's, of a request; the page's, of a failed step at a portal. */
      address?: string | null;
      at: components["schemas"]["Time"];
      /**
       * Format: uint64
       * Calls to an upstream.
       */
      calls?: number | null;
      /** What was changed about a user. */
      changed?: components["schemas"]["Changed"] | null;
      /** Somebody externally authenticated, as a keyed hash. */
      customer?: string | null;
      /** What is wrong with the settings of an upstream account. */
      error?: string | null;
      /** When the upstream's token expires. */
      expires_at?: components["schemas"]["Time"] | null;
      /** Of this copy. A record that was stored twice is there once. */
      id: string;
      key_id?: string | null;
      /** What was run at a portal. */
      operation?: string | null;
      /** `ok`, or a code. */
      outcome: string;
      /** The login at a portal, as a keyed hash. */
      portal_login?: string | null;
      /** How a session ended. */
      reason?: string | null;
      request_id?: string | null;
      /** The service that did it, or the service key to which it was done. */
      service?: string | null;
      session_id?: string | null;
      /**
       * Format: uint64
       * How many sessions it was about.
       */
      sessions?: number | null;
      /** Where that failed. */
      step?: string | null;
      /** The user to whom it was done. */
      user_id?: components["schemas"]["UserId"] | null;
    };
    /** A page of the trail. */
    AuditTrail: {
      /**
       * Since when the trail has all records that have reached it: 24 hours ago, or since it began, or since the last records were
       *     dropped for want of room. Null where it has none yet.
       */
      complete_since: components["schemas"]["Time"] | null;
      /**
       * Format: uint64
       * How many records of the time that is asked for are known to be missing: too many at once, or their object could not be reached.
       */
      left_out: number;
      /** For the next page, of older records; null on the last one. */
      next_cursor: string | null;
      /** The newest first. */
      records: components["schemas"]["AuditRecord"][];
      /** There where parts of the trail could not be asked: those parts. Their records are missing. */
      unreachable?: string[];
    };
    AuthorizationCode: {
      code: string;
      language?: components["schemas"]["Language"] | null;
      redirect_uri?: string | null;
    };
    /** The calls that were made at the portal. */
    Calls: {
      calls: unknown[];
    };
    ChangePassword: {
      language?: components["schemas"]["Language"] | null;
      new_password: string;
      old_password: string;
      /** Where there is no bearer. With it, a cookie is not looked at. */
      username?: string | null;
    };
    /** What a change has changed. Of a password no more than that there is a new one. */
    Changed: {
      is_active?: boolean | null;
      must_change_password?: boolean | null;
      password?: boolean;
      roles?: string[] | null;
    };
    /** What a sweep came to. */
    Cleanup: {
      /**
       * Format: uint32
       * How many sessions were over and are off all lists now.
       */
      cleaned_sessions: number;
      /** To go on with; null where there is no more. */
      next_cursor: string | null;
      /** There where something could not be asked: ids of sessions, names of users, `KV`, `Directory`. */
      unreachable?: string[];
    };
    /** How many sessions have ended. */
    ClosedSessions: {
      /** Format: uint */
      closed_sessions: number;
      message?: string | null;
    };
    /** Containers. */
    Containers: {
      /** A member for each column of the portal's table, named as its head says. */
      containers: {
        [key: string]: string;
      }[];
      debug?: components["schemas"]["Debug"] | null;
      /** With `target_container_id` only. */
      found_target_container?: boolean | null;
      is_new_session: boolean;
      /**
       * Format: uint64
       * With `limit_reached`: what to give as `skip` for what did not fit.
       */
      next_skip?: number | null;
      /**
       * Format: uint64
       * How many further pages were loaded.
       */
      scroll_cycles: number;
      session_id: components["schemas"]["PortalId"];
      /** `end_of_list`, `target_found`, `target_count_reached`, `single_page`, `no_progress` or `limit_reached`. */
      stopped_reason: string;
      success: boolean;
      /**
       * Format: uint64
       * In this answer.
       */
      total_containers: number;
    };
    /** A session whose tokens are in cookies: the answer to a login with `cookie`, and to a refresh by cookie. */
    CookieSession: {
      /**
       * Format: uint64
       * Life of the access token, in seconds.
       */
      expires_in: number;
      /**
       * Format: uint64
       * Life of the refresh token and of the cookies, in seconds.
       */
      refresh_expires_in: number;
      session_id: components["schemas"]["SessionId"];
    };
    /** How the accounts of a provider are. */
    Counts: {
      /**
       * Format: uint64
       * How many have a token that can be given out, however their renewals do. Not in `accounts`.
       */
      available?: number | null;
      /**
       * Format: uint64
       * How many are `failing`, `failed` or `needs_attention`.
       */
      failed: number;
      /** Format: uint64 */
      healthy: number;
      /**
       * Format: uint
       * How many have faulty settings; a list of accounts that cannot be read is one more. Not in `accounts`.
       */
      misconfigured?: number | null;
      /**
       * Format: uint
       * How many are configured.
       */
      total: number;
    };
    /** The caller's own session. */
    CurrentSession: {
      absolute_expires_at: components["schemas"]["Time"];
      /** When the user last proved who they are. */
      auth_time: components["schemas"]["Time"] | null;
      created_at: components["schemas"]["Time"];
      device_name: string | null;
      /** The earliest of these two and the expiry of its last tokens. */
      expires_at: components["schemas"]["Time"];
      idle_expires_at: components["schemas"]["Time"];
      /**
       * Format: uint64
       * How long it lives without activity, in seconds.
       */
      inactivity_timeout: number;
      last_activity: components["schemas"]["Time"];
      roles: string[];
      /** When this was said. A client whose clock is wrong counts from it. */
      server_time: components["schemas"]["Time"];
      session_id: components["schemas"]["SessionId"];
      user_agent: string | null;
      /** Null of a post-login session. */
      user_id: components["schemas"]["UserId"] | null;
      /** Of a post-login session the subject. */
      username: string;
    };
    CustomerInfo: {
      customer_id?: string | null;
      customer_name?: string | null;
      customer_type?: string | null;
    };
    /** With `debug` only. */
    Debug: {
      /**
       * Format: double
       * For how long a browser was held, at a portal that needs one.
       */
      browser_seconds?: number | null;
      /** The calls to the portal. */
      calls: unknown[];
      /** Of a portal in a browser, where there is a bucket for them. */
      screenshots?: components["schemas"]["Screenshot"][] | null;
      /** Those that there are not. */
      screenshots_missing?: components["schemas"]["MissingScreenshot"][] | null;
    };
    /** The stored document in `data`: any JSON. */
    Document: {
      data: unknown;
    };
    /** @enum {string} */
    End:
      | "closed"
      | "evicted"
      | "idle"
      | "logged_out"
      | "unused"
      | "credentials_refused"
      | "captcha"
      | "unreadable";
    /** @enum {string} */
    EndReason:
      | "logout"
      | "evicted"
      | "admin"
      | "reuse"
      | "password"
      | "disabled"
      | "inactivity"
      | "lifetime"
      | "external";
    /** A session that has ended. */
    EndedSession: {
      /** Null where only KV still knows of it. */
      ended_at: components["schemas"]["Time"] | null;
      id: components["schemas"]["SessionId"];
      reason: components["schemas"]["EndReason"];
      /** `ended`. */
      state: components["schemas"]["State"];
      /** Null of somebody externally authenticated, and where only KV still knows of it. */
      user_id: components["schemas"]["UserId"] | null;
      /** Null where nobody knows it any more. */
      username: string | null;
    };
    /** A refusal. */
    Error: {
      code: components["schemas"]["ErrorCode"];
      /** For a person, in the language of the request. */
      detail: string;
      /** With `validation_error` only. */
      errors?: components["schemas"]["WrongField"][] | null;
      /** How the session ended, where one did. */
      reason?: components["schemas"]["EndReason"] | null;
    };
    /** Stable: what clients go by. */
    ErrorCode:
      | "malformed_json"
      | "invalid_request"
      | "invalid_channel_id"
      | "refresh_token_required"
      | "channel_without_verifier"
      | "unsupported_grant_type"
      | "invalid_scope"
      | "invalid_target"
      | "missing_fields"
      | "appointment_incomplete"
      | "not_authenticated"
      | "invalid_credentials"
      | "insufficient_user_authentication"
      | "token_invalid"
      | "token_expired"
      | "session_inactivity_timeout"
      | "access_token_blacklisted"
      | "session_revoked_or_invalid"
      | "refresh_token_reused"
      | "external_token_expired"
      | "external_token_invalid"
      | "service_key_invalid"
      | "session_limit_exceeded"
      | "forbidden"
      | "no_password"
      | "cross_site_request"
      | "password_change_required"
      | "user_inactive"
      | "not_found"
      | "issuer_not_url"
      | "user_not_found"
      | "session_not_found"
      | "portal_session_ended"
      | "channel_not_found"
      | "service_key_not_found"
      | "account_not_found"
      | "method_not_allowed"
      | "user_exists"
      | "last_admin"
      | "too_many_service_keys"
      | "body_too_large"
      | "unsupported_media_type"
      | "validation_error"
      | "too_many_attempts"
      | "internal_error"
      | "service_unavailable"
      | "audit_trail_off"
      | "portal_not_configured"
      | "configuration_error"
      | "upstream_timeout"
      | "upstream_unreachable"
      | "upstream_rate_limited"
      | "upstream_error"
      | "upstream_unintelligible"
      | "upstream_redirected"
      | "upstream_credentials_refused"
      | "upstream_input_refused"
      | "upstream_grant_refused"
      | "upstream_token_refused"
      | "upstream_user_changed"
      | "upstream_outcome_unknown"
      | "credential_unreadable"
      | "account_misconfigured"
      | "token_unavailable"
      | "approval_pending"
      | "upstream_calls_spent"
      | "portal_logged_out"
      | "portal_credentials_refused"
      | "portal_account_locked"
      | "captcha_key_refused"
      | "captcha_no_balance"
      | "captcha_busy"
      | "captcha_unsolved"
      | "captcha_timeout"
      | "captcha_failed"
      | "portal_timeout"
      | "portal_unreachable"
      | "portal_rate_limited"
      | "portal_error"
      | "portal_unintelligible"
      | "portal_redirected"
      | "portal_not_found"
      | "portal_input_refused"
      | "portal_outcome_unknown"
      | "portal_interrupted"
      | "portal_logins_spent"
      | "portal_busy"
      | "portal_session_closed"
      | "appointment_session_not_found"
      | "needs_human"
      | "portal_refused_automation"
      | "portal_step_failed"
      | "browser_unavailable"
      | "browsers_busy"
      | "browser_lost";
    /** A token in the shape of the legacy system. */
    FacturifyJwt: {
      jwt: components["schemas"]["Jwt"];
      message: string;
    };
    /** A token that is valid now. */
    FacturifyToken: {
      token: string;
      /**
       * Format: uint64
       * In seconds.
       */
      ttl: number;
    };
    /** A session at the portal, by its credentials. */
    GotSession: {
      /**
       * Format: double
       * For how long browsers were held for it, its logins included; 0 at a portal that needs none.
       */
      browser_seconds: number;
      created_at: components["schemas"]["Time"];
      /** With `debug` only: the calls of the login that was made for this call; none if there was a session. */
      debug?: components["schemas"]["Calls"] | null;
      /** When it ends if nobody uses it; null if it is kept alive. */
      expires_at: components["schemas"]["Time"] | null;
      /** Whether this call has begun it. */
      is_new: boolean;
      keep_alive: boolean;
      message: string;
      /** How the session before it ended, if this one is new and that was within 24 hours. */
      previous_ended: components["schemas"]["End"] | null;
      session_id: components["schemas"]["PortalId"];
      /** With `storage_state` only: what has become of it. */
      storage_state?: components["schemas"]["StateUse"] | null;
      success: boolean;
      username: string;
    };
    /** The state of a session at a portal. */
    GotState: {
      /** When the portal last showed a page of a logged-in user. */
      as_of: components["schemas"]["Time"];
      session_id: components["schemas"]["PortalId"];
      storage_state: components["schemas"]["StorageState"];
      success: boolean;
    };
    /** Tokens for a grant (RFC 6749 §5.1, RFC 8693 §2.2.1). */
    GrantedTokens: {
      access_token: string;
      /**
       * Format: uint64
       * Life of the access token, in seconds.
       */
      expires_in: number;
      /** Of a token exchange: `urn:ietf:params:oauth:token-type:access_token`. */
      issued_token_type?: string | null;
      refresh_token: string;
      /** `bearer`. */
      token_type: string;
    };
    /** A greeting. */
    Greeting: {
      message: string;
    };
    /** @enum {string} */
    Health: "valid" | "failing" | "missing" | "expired" | "failed" | "needs_attention" | "awaiting_approval";
    /** The last operations on an account, the newest first. */
    History: {
      account_id: components["schemas"]["AccountName"];
      operations: components["schemas"]["PastOperation"][];
      provider: string;
    };
    InitData: {
      /** Not kept. */
      basicCustomerInfo?: components["schemas"]["CustomerInfo"] | null;
      cif: string;
      payload: components["schemas"]["Payload"];
      /** The external token. Visible ASCII. */
      tokenKey: string;
    };
    InitSession: {
      data: components["schemas"]["InitData"];
      language?: components["schemas"]["Language"] | null;
    };
    /** What is known of a token (RFC 7662 §2.2). Of one that is not active no other member is there. */
    Introspection: {
      /** Whether it would be accepted now. Where several were asked about: whether all would. */
      active: boolean;
      /**
       * Format: uint64
       * When the user last proved who they are, by the word of an access token (RFC 9470 §6.2), in seconds since 1970.
       */
      auth_time?: number | null;
      /**
       * Format: uint64
       * When it expires at the latest, in seconds since 1970.
       */
      exp?: number | null;
      jti?: string | null;
      roles?: string[] | null;
      /** The session. */
      sid?: components["schemas"]["SessionId"] | null;
      /** The user's id; of somebody externally authenticated the subject. */
      sub?: string | null;
      /** `bearer` of an access token; not there of a refresh token. */
      token_type?: string | null;
      /** Where several were asked about: each, in the order of the request. */
      tokens?: components["schemas"]["Introspection"][] | null;
      username?: string | null;
    };
    /** A public key. */
    Jwk: {
      /** `EdDSA` or `ES256`. */
      alg: string;
      crv: string;
      /** Its thumbprint (RFC 7638), which stands in the tokens that it has signed. */
      kid: string;
      /** `OKP` with `Ed25519`, or `EC` with `P-256`. */
      kty: string;
      /** `sig`. */
      use: string;
      x: string;
      /** Of `EC`. */
      y?: string | null;
    };
    /**
     * The public keys that tokens may be verified with (RFC 7517): those that sign, those that will, and those that have. None
     *     where tokens are signed with HS256.
     */
    Jwks: {
      keys: components["schemas"]["Jwk"][];
    };
    /** The token itself. */
    Jwt: {
      /**
       * Format: uint64
       * As Facturify gave it, in seconds.
       */
      expires_in: number;
      token: string;
    };
    /** A service key. The first answer alone has its text. */
    Key: {
      /** The upstream accounts that its scopes for tokens are restricted to, such as `upstox/agnidata*`. Left out where it is for all. */
      accounts?: string[] | null;
      created_at: components["schemas"]["Time"];
      /** Null of one that does not expire. */
      expires_at: components["schemas"]["Time"] | null;
      id: components["schemas"]["ServiceKeyId"];
      /** The key's text, shown once. */
      key?: string | null;
      /** In the list: the last characters of the key, by which people tell keys apart. */
      last4?: string | null;
      /** In the list: when it was last used, within ten minutes; null of one that never was. */
      last_used_at?: components["schemas"]["Time"] | null;
      name: string;
      /** In the list. */
      revoked_at?: components["schemas"]["Time"] | null;
      scopes: string[];
      /** In the list: `active`, `revoked` or `expired`. */
      status?: string | null;
    };
    /** The language of `detail`: `en`, `es` or `vi`, or a tag that begins so. Any other is ignored. */
    Language: string;
    /** What an upstream said of the held token when it was last asked. */
    LastCheck: {
      at: components["schemas"]["Time"];
      /** `ok`, or a code. */
      outcome: string;
    };
    /** Why renewals fail, while they do. */
    LastError: {
      at: components["schemas"]["Time"];
      code: string;
      /**
       * Format: uint32
       * In a row.
       */
      failures: number;
      /** With `account_misconfigured`: the setting, the member, and what is wrong. */
      message?: string | null;
      /** When they began. */
      since?: components["schemas"]["Time"] | null;
      /**
       * Format: uint16
       * What the upstream answered with.
       */
      status: number | null;
    };
    Login: {
      /** The tokens come in cookies and not in the body. */
      cookie?: boolean | null;
      /** Shown in lists of sessions, without control characters. */
      device_name?: string | null;
      language?: components["schemas"]["Language"] | null;
      password: string;
      username: string;
    };
    Logout: {
      /** Of another session of the same user, which ends too. It may have expired. */
      access_token?: string | null;
      language?: components["schemas"]["Language"] | null;
      /** Of the session, or of another one of the same user, which ends too. It may have expired. */
      refresh_token?: string | null;
    };
    LogoutAll: {
      /** Leaves the caller's own. */
      keep_current?: boolean | null;
      language?: components["schemas"]["Language"] | null;
    };
    /** What was done, in words. */
    Message: {
      message: string;
    };
    /** What software asks for that is told no more than the issuer (RFC 8414). */
    Metadata: {
      grant_types_supported: string[];
      introspection_endpoint: string;
      introspection_endpoint_auth_methods_supported: string[];
      /** `TOKEN_ISSUER`, as in the tokens. */
      issuer: string;
      /** Where there are public keys. */
      jwks_uri?: string | null;
      /** None: there is no authorization endpoint. */
      response_types_supported: string[];
      revocation_endpoint: string;
      revocation_endpoint_auth_methods_supported: string[];
      token_endpoint: string;
      token_endpoint_auth_methods_supported: string[];
    };
    /** Something that has happened. */
    Milestone: {
      date: string;
      milestone: string;
      /** Such as `completed` or `pending`. */
      status: string;
    };
    /** A picture that there is not. */
    MissingScreenshot: {
      /** `password`, `not_taken`, `not_stored` or `limit`. */
      reason: string;
      step: string;
    };
    /** The answer of the mock. */
    MockAnswer: {
      data: components["schemas"]["Validated"];
      message: string;
      status: string;
    };
    /** A refusal of the mock. */
    MockRefusal: {
      code: string;
      detail: string;
      status: string;
    };
    NewKey: {
      /**
       * The upstream accounts that its scopes for tokens are restricted to; all, if it is left out. `provider/account_id`, or the
       *     beginning of ids: `upstox/agnidata*`.
       */
      accounts?: string[] | null;
      /**
       * Format: uint64
       * Without, it does not expire.
       */
      expires_in_days?: number | null;
      language?: components["schemas"]["Language"] | null;
      /** Without control characters, and without white space at its ends. */
      name: string;
      scopes: components["schemas"]["Scope"][];
    };
    NewUser: {
      language?: components["schemas"]["Language"] | null;
      password: string;
      /** `user` if nothing is said. */
      roles?: components["schemas"]["Role"][] | null;
      username: string;
    };
    Notification: {
      access_token: string;
      client_id: string;
      /** In milliseconds. */
      expires_at?: components["schemas"]["TextOrNumber"] | null;
      language?: components["schemas"]["Language"] | null;
      user_id: string;
    };
    /** A refusal on the routes of OAuth 2.0. */
    OAuthError: {
      code: components["schemas"]["ErrorCode"];
      /** For a person, in the language of the request. */
      detail: string;
      /**
       * By RFC 6749 §5.2: `invalid_client`, `unauthorized_client`, `invalid_request`, `temporarily_unavailable` or `server_error`; of
       *     `/oauth/token` also `invalid_grant`, `unsupported_grant_type`, `invalid_scope` and `invalid_target`.
       */
      error: string;
      /** Of `/oauth/token`: in English, for developers. */
      error_description?: string | null;
      /** With `validation_error` only. */
      errors?: components["schemas"]["WrongField"][] | null;
      /** Of `/oauth/token`: how the session ended, where one did. */
      reason?: components["schemas"]["EndReason"] | null;
    };
    /** @enum {string} */
    Operation: "renew" | "obtain" | "refresh" | "check" | "adopt" | "exchange" | "request";
    /** The caller's live sessions. */
    OwnSessions: {
      sessions: components["schemas"]["Session"][];
      /** There where something could not be asked: the ids of those sessions. */
      unreachable?: components["schemas"]["SessionId"][];
    };
    Password: {
      language?: components["schemas"]["Language"] | null;
      password: string;
    };
    /** One operation on an account. */
    PastOperation: {
      at: components["schemas"]["Time"];
      /**
       * Format: uint32
       * To the upstream.
       */
      calls: number;
      expires_at: components["schemas"]["Time"] | null;
      operation: components["schemas"]["Operation"];
      /** `ok`, or a code. */
      outcome: string;
      request_id: string;
      /**
       * Format: uint16
       * What the upstream refused with.
       */
      status: number | null;
      /** `key:` and the name of a service key, `user:` and the id of an admin, `alarm`, `cron`, `notifier`, or `local`. */
      who: string;
    };
    Payload: {
      channelId: components["schemas"]["TextOrNumber"];
    };
    PortalCredentials: {
      /** The caller's key of the captcha service. Required where the portal's login has a captcha, as E-Modal's has. */
      captcha_api_key?: string | null;
      /** The answer gets `debug.calls`. */
      debug?: boolean | null;
      /** Whether the session is kept alive, which it is if nothing is said. */
      keep_alive?: boolean | null;
      language?: components["schemas"]["Language"] | null;
      password: string;
      /** `emodal`, which it is if nothing is said, or a name in `PORTALS`. */
      portal?: string | null;
      /** What is tried in place of a login, as `GET /sessions/{session_id}/state` gives it: `cookies` and `origins`. */
      storage_state?: {
        [key: string]: unknown;
      } | null;
      /** The key of one-time passwords in Base32 (RFC 6238), for a login that asks for them. */
      totp_secret?: string | null;
      username: string;
    };
    /** A refusal on the routes of portal sessions. */
    PortalError: {
      /** Of the page that was asked for last, without query. */
      address?: string | null;
      /** Of an appointment that can be gone on with. With `appointment_incomplete` there are all of the next. */
      appointment_session_id?: string | null;
      /** In phase 3: what can be chosen. */
      available_times?: string[] | null;
      /** Where a value is none of what a form offers: what it offers, by the field's name. */
      choices?: {
        [key: string]: string[];
      } | null;
      code: components["schemas"]["ErrorCode"];
      /**
       * Format: uint64
       * Of them.
       */
      count?: number | null;
      /** Format: uint32 */
      current_phase?: number | null;
      /** With `debug` only, as with a success. */
      debug?: unknown;
      /** For a person, in the language of the request. */
      detail: string;
      /** The same text as `detail`. */
      error: string;
      /** With `missing_fields` and `validation_error` only. */
      errors?: components["schemas"]["WrongField"][] | null;
      is_new_session?: boolean | null;
      /**
       * Format: uri
       * With `needs_human`, while a person is waited for, for callers who have given the credentials: where they can do it. A secret.
       */
      live_view_url?: string | null;
      /** What was looked for there. */
      looked_for?: string | null;
      /** The portal's own words, where there are some; of an appointment, what is wrong. */
      message?: string | null;
      missing_fields?: string[] | null;
      /** How the portal session ended. */
      reason?: components["schemas"]["End"] | null;
      /** Of an operation on a session. This and the next. */
      session_id?: string | null;
      /** What was being done at the portal. This and the next three where it was called. */
      step?: string | null;
      success: boolean;
      /** Of that page. */
      title?: string | null;
    };
    /** Work that failed at a portal. */
    PortalFailure: {
      at: components["schemas"]["Time"];
      code: string;
      /** What was being done; null if nothing was begun. */
      step: string | null;
    };
    PortalId: string;
    /** The last page of a failed step at a portal. */
    PortalPage: {
      /** Without query. */
      address: string;
      at: components["schemas"]["Time"];
      /** Of the failure. */
      code: string;
      /** When it is forgotten. */
      expires_at: components["schemas"]["Time"];
      /** What was looked for. */
      looked_for: string;
      /** Its HTML, without secrets; the beginning of a long one. */
      page: string;
      /** As the log has it. */
      portal_login: string;
      /** Format: uint16 */
      status: number | null;
      /** What was being done. */
      step: string;
      title: string | null;
    };
    /** A session as lists show it: never a credential but the username. */
    PortalSession: {
      /**
       * Format: double
       * For how long browsers were held for it, its logins included; 0 at a portal that needs none.
       */
      browser_seconds: number;
      /**
       * Format: uint64
       * Those among them whose login would have cost a captcha.
       */
      captchas_saved: number;
      created_at: components["schemas"]["Time"];
      keep_alive: boolean;
      /** The last work of the login that failed at the portal; null if none has. */
      last_failure: components["schemas"]["PortalFailure"] | null;
      /** By a caller. */
      last_used: components["schemas"]["Time"];
      /**
       * Format: uint64
       * Calls that found it alive, as of its last report.
       */
      logins_saved: number;
      /** The login's name in the log, and in `GET /admin/portal-pages/{portal}/{login}`. */
      portal_login: string;
      session_id: components["schemas"]["PortalId"];
      /** Null if it cannot be opened. */
      username: string | null;
    };
    /** All sessions at portals. */
    PortalSessions: {
      sessions: components["schemas"]["PortalSession"][];
      success: boolean;
    };
    /** A pair of tokens of a post-login session. */
    PostLoginTokens: {
      message: string;
      refreshToken: string;
      /** The access token. */
      token: string;
    };
    RefreshToken: {
      language?: components["schemas"]["Language"] | null;
      /** Left out where it comes in a cookie. */
      refresh_token?: string | null;
    };
    RenewData: {
      refreshToken: string;
    };
    RenewSession: {
      data: components["schemas"]["RenewData"];
      language?: components["schemas"]["Language"] | null;
    };
    /** What a renewal brought: to a service the token, to an admin what it is like. */
    Renewed: components["schemas"]["UpstreamToken"] | components["schemas"]["AccountStatus"];
    /** A service key that another has taken the place of. */
    Replaced: {
      expires_at: components["schemas"]["Time"];
      id: components["schemas"]["ServiceKeyId"];
    };
    Reset: {
      language?: components["schemas"]["Language"] | null;
      password: string;
    };
    /** Of letters, digits and any of `-_.:`. */
    Role: string;
    /** A service key that takes another's place, and until when the other is good. */
    RotatedKey: {
      /** The upstream accounts that its scopes for tokens are restricted to, such as `upstox/agnidata*`. Left out where it is for all. */
      accounts?: string[] | null;
      created_at: components["schemas"]["Time"];
      /** Null of one that does not expire. */
      expires_at: components["schemas"]["Time"] | null;
      id: components["schemas"]["ServiceKeyId"];
      /** The key's text, shown once. */
      key?: string | null;
      /** In the list: the last characters of the key, by which people tell keys apart. */
      last4?: string | null;
      /** In the list: when it was last used, within ten minutes; null of one that never was. */
      last_used_at?: components["schemas"]["Time"] | null;
      name: string;
      replaces: components["schemas"]["Replaced"];
      /** In the list. */
      revoked_at?: components["schemas"]["Time"] | null;
      scopes: string[];
      /** In the list: `active`, `revoked` or `expired`. */
      status?: string | null;
    };
    Rotation: {
      language?: components["schemas"]["Language"] | null;
      /**
       * Format: uint64
       * How long the other key stays good, unless it expires before; 24 if nothing is said.
       */
      overlap_hours?: number | null;
    };
    /**
     * What a service key may be used for.
     * @enum {string}
     */
    Scope:
      | "tokens:read"
      | "tokens:write"
      | "portal"
      | "portal:own"
      | "portal:state"
      | "introspect"
      | "login:proxy"
      | "sessions:exchange"
      | "metrics"
      | "audit";
    /** A picture of a page. */
    Screenshot: {
      /** Of the page. */
      path: string;
      /** What was done last. */
      step: string;
      taken_at: string;
      /** For `GET`, with a service key: relative to this server. */
      url: string;
    };
    /** A key that seals data, and what lies under it. */
    SealingKey: {
      /**
       * Format: uint64
       * Upstream accounts with something under it.
       */
      accounts: number;
      configured: boolean;
      kid: string;
      /**
       * Format: uint64
       * Portal sessions with something under it.
       */
      portal_sessions: number;
      /** Whether it is the one that seals. */
      seals: boolean;
    };
    /** The sealing keys. */
    SealingKeys: {
      keys: components["schemas"]["SealingKey"][];
    };
    /** That these routes are served. */
    Served: {
      service: string;
      status: string;
    };
    /** That this instance answers, and how its accounts are. */
    ServiceHealth: {
      /** Of Upstox. */
      accounts: components["schemas"]["Counts"] | null;
      /**
       * Format: uint64
       * Live portal sessions. Null if nobody can say.
       */
      active_sessions: number | null;
      current_time_ist: components["schemas"]["Time"];
      /**
       * Format: uint64
       * Those of them that are kept alive.
       */
      persistent_sessions: number | null;
      service: string;
      /**
       * `healthy`; or `degraded` if an account counts as failed, if no account of a provider has a token that can be given out, if
       *     settings of accounts are faulty, or if nobody can say.
       */
      status: string;
      timestamp: components["schemas"]["Time"];
      upstreams: components["schemas"]["Upstreams"];
      version: string;
    };
    ServiceKeyId: string;
    /** All service keys, the oldest first. */
    ServiceKeys: {
      service_keys: components["schemas"]["Key"][];
    };
    /** A live session: who and when, never a token. */
    Session: {
      absolute_expires_at: components["schemas"]["Time"];
      created_at: components["schemas"]["Time"];
      /** In the list of one's own: whether it is the caller's. */
      current?: boolean | null;
      device_name: string | null;
      /** The earliest of these two and the expiry of its last tokens. */
      expires_at: components["schemas"]["Time"];
      id: components["schemas"]["SessionId"];
      idle_expires_at: components["schemas"]["Time"];
      /** Of its newest access token. */
      jti: string;
      last_activity: components["schemas"]["Time"];
      /** Of a session that was asked for by its id: `live`. */
      state?: components["schemas"]["State"] | null;
      user_agent: string | null;
      /** In lists of admins; null of somebody externally authenticated. */
      user_id?: components["schemas"]["UserId"] | null;
      /** In lists of admins; of somebody externally authenticated the subject. */
      username?: string | null;
    };
    SessionId: string;
    /** What the service knows of the caller's session. */
    SessionInfo: {
      absolute_expires_at: components["schemas"]["Time"];
      /**
       * Format: uint
       * How many the caller has.
       */
      active_sessions: number;
      created_at: components["schemas"]["Time"];
      idle_expires_at: components["schemas"]["Time"];
      /** Of the newest access token of the session. */
      jti: string;
      last_activity: components["schemas"]["Time"];
      session_id: components["schemas"]["SessionId"];
      session_valid: boolean;
      /** Null of a post-login session. */
      user_id: components["schemas"]["UserId"] | null;
    };
    /** @enum {string} */
    Source: "startup" | "cron" | "refresh" | "obtain" | "manual" | "exchange" | "notifier";
    /**
     * Whether a session is live.
     * @enum {string}
     */
    State: "live" | "ended";
    /** @enum {string} */
    StateUse: "used" | "not_used" | "refused";
    /** Cookies and what pages have stored, as Playwright's `storageState` has it. */
    StorageState: {
      /**
       * Each with `name`, `value`, `domain`, `path`, `expires` (in seconds since 1970; -1: with the browser's session), `httpOnly`, `secure`
       *     and `sameSite` (`Strict`, `Lax` or `None`).
       */
      cookies: unknown;
      /** Each with `origin` and `localStorage`, and with `sessionStorage` if there is any: lists of `name` and `value`. */
      origins: unknown;
    };
    /** That it was done. */
    Success: {
      message?: string | null;
      success: boolean;
    };
    /** Text, or a number that stands for its text. */
    TextOrNumber: string | number;
    /**
     * Format: date-time
     * A time by RFC 3339: in UTC with milliseconds; on the routes of Upstox accounts in IST (`+05:30`) with seconds.
     */
    Time: string;
    /** What has happened to a container, in the portal's order. */
    Timeline: {
      container_id: string;
      debug?: components["schemas"]["Debug"] | null;
      is_new_session: boolean;
      /** Format: uint64 */
      milestone_count: number;
      passed_pregate: boolean;
      session_id: components["schemas"]["PortalId"];
      success: boolean;
      timeline: components["schemas"]["Milestone"][];
    };
    /** About a token. */
    TokenForm: {
      /** The id of a service key, where no header has the key. */
      client_id?: string | null;
      /** The whole key. */
      client_secret?: string | null;
      /** An access or a refresh token. */
      token: string;
      /** Not needed, and not looked at. */
      token_type_hint?: string | null;
    };
    /** What tokens are asked for. A parameter without a value counts as left out, and none is given twice, but `audience` and `resource`. */
    TokenRequest: {
      /** `TOKEN_AUDIENCE`, if it is there. */
      audience?: string | null;
      /** As in `CHANNELS`. */
      channel_id?: string | null;
      /** The customer's number: 1 to 64 letters, digits, `-` and `_`. */
      cif?: string | null;
      /** The id of a service key, where no header has the key. */
      client_id?: string | null;
      /** The whole key. */
      client_secret?: string | null;
      /** `refresh_token`, or `urn:ietf:params:oauth:grant-type:token-exchange`. */
      grant_type: string;
      /** For its grant, of at most 4,096 bytes. What is for the other grant is not read. */
      refresh_token?: string | null;
      /** `urn:ietf:params:oauth:token-type:access_token`, if it is there. */
      requested_token_type?: string | null;
      /** The same. */
      resource?: string | null;
      /** For the token exchange, as the next three: the other system's token, of at most 8,192 bytes. */
      subject_token?: string | null;
      /** `urn:ietf:params:oauth:token-type:access_token` or `urn:ietf:params:oauth:token-type:jwt`. */
      subject_token_type?: string | null;
    };
    TokenUpdate: {
      /** Visible ASCII. */
      access_token: string;
      /** As in the path, where it is there. */
      account_id?: string | null;
      /** By RFC 3339, in the future. */
      expires_at?: string | null;
      language?: components["schemas"]["Language"] | null;
      /** Whose the account is from now on. */
      user_id?: string | null;
    };
    /** A token was taken over. */
    TokenUpdated: {
      account_id: components["schemas"]["AccountName"];
      expires_at: components["schemas"]["Time"] | null;
      /** The end of a token that lives longer than the day, where there is one. */
      extended_until?: components["schemas"]["Time"] | null;
      message: string;
      source: components["schemas"]["Source"] | null;
      success: boolean;
      /** Whose token it is, by Upstox. */
      user_id: string | null;
    };
    /** A pair of tokens (RFC 6749 §5.1). */
    Tokens: {
      access_token: string;
      /**
       * Format: uint64
       * Life of the access token, in seconds.
       */
      expires_in: number;
      refresh_token: string;
      /** `bearer`. */
      token_type: string;
    };
    /** The tokens; or what a page may know of them, where they are in cookies. */
    TokensOrCookies: components["schemas"]["Tokens"] | components["schemas"]["CookieSession"];
    /** A token in the shape of the internal token service. */
    UpstoxToken: {
      access_token: string;
      account_id: components["schemas"]["AccountName"];
      expires_at: components["schemas"]["Time"];
      source: components["schemas"]["Source"];
      success: boolean;
      /** By the internal token service. */
      updated_by: string | null;
    };
    /** A token in the words of RFC 6749 §5.1. */
    UpstreamToken: {
      access_token: string;
      expires_at: components["schemas"]["Time"];
      /**
       * Format: uint64
       * What is left of its life, in seconds.
       */
      expires_in: number;
      /** `bearer`. */
      token_type: string;
    };
    /** The accounts of each provider; null if nobody can say. */
    Upstreams: {
      facturify: components["schemas"]["Counts"] | null;
      oauth2: components["schemas"]["Counts"] | null;
      upstox: components["schemas"]["Counts"] | null;
    };
    /** A user, or somebody externally authenticated. */
    User: {
      created_at: components["schemas"]["Time"];
      /** Null of somebody externally authenticated. */
      id: components["schemas"]["UserId"] | null;
      is_active: boolean;
      /** There for admins, where it is so. */
      must_change_password?: boolean;
      roles: string[];
      /** The canonical name; of somebody externally authenticated the subject. */
      username: string;
    };
    UserChange: {
      is_active?: boolean | null;
      language?: components["schemas"]["Language"] | null;
      must_change_password?: boolean | null;
      password?: string | null;
      roles?: components["schemas"]["Role"][] | null;
    };
    UserId: number;
    /** A page of users. */
    Users: {
      /** For the next page; null on the last one. */
      next_cursor: string | null;
      /** There where something could not be asked: the names of those users. */
      unreachable?: string[];
      users: components["schemas"]["User"][];
    };
    /** What the mock says of a token. */
    Validated: {
      isExpire: boolean;
      sessionToken: string;
      userId: string;
      validatedAt: components["schemas"]["Time"];
    };
    /** What Upstox says of the held token. */
    Validation: {
      account_id: components["schemas"]["AccountName"];
      checked_at: components["schemas"]["Time"];
      expires_at: components["schemas"]["Time"] | null;
      /** Why it is not valid: `expired`, `missing`, `refused`. Only the last is by Upstox; for the others it is not asked. */
      reason: string | null;
      user_id: string | null;
      valid: boolean;
    };
    /** A field of the body or the query that is wrong. */
    WrongField: {
      field: string;
      /** For a person. */
      message: string;
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type AccountName = components["schemas"]["AccountName"];
export type AccountStatus = components["schemas"]["AccountStatus"];
export type Accounts = components["schemas"]["Accounts"];
export type ActiveSessions = components["schemas"]["ActiveSessions"];
export type Answered = components["schemas"]["Answered"];
export type AnyAccounts = components["schemas"]["AnyAccounts"];
export type AnySession = components["schemas"]["AnySession"];
export type Appointment = components["schemas"]["Appointment"];
export type AppointmentTimes = components["schemas"]["AppointmentTimes"];
export type ApprovalRequested = components["schemas"]["ApprovalRequested"];
export type AuditRecord = components["schemas"]["AuditRecord"];
export type AuditTrail = components["schemas"]["AuditTrail"];
export type AuthorizationCode = components["schemas"]["AuthorizationCode"];
export type Calls = components["schemas"]["Calls"];
export type ChangePassword = components["schemas"]["ChangePassword"];
export type Changed = components["schemas"]["Changed"];
export type Cleanup = components["schemas"]["Cleanup"];
export type ClosedSessions = components["schemas"]["ClosedSessions"];
export type Containers = components["schemas"]["Containers"];
export type CookieSession = components["schemas"]["CookieSession"];
export type Counts = components["schemas"]["Counts"];
export type CurrentSession = components["schemas"]["CurrentSession"];
export type CustomerInfo = components["schemas"]["CustomerInfo"];
export type Debug = components["schemas"]["Debug"];
export type Document = components["schemas"]["Document"];
export type End = components["schemas"]["End"];
export type EndReason = components["schemas"]["EndReason"];
export type EndedSession = components["schemas"]["EndedSession"];
export type Error = components["schemas"]["Error"];
export type ErrorCode = components["schemas"]["ErrorCode"];
export type FacturifyJwt = components["schemas"]["FacturifyJwt"];
export type FacturifyToken = components["schemas"]["FacturifyToken"];
export type GotSession = components["schemas"]["GotSession"];
export type GotState = components["schemas"]["GotState"];
export type GrantedTokens = components["schemas"]["GrantedTokens"];
export type Greeting = components["schemas"]["Greeting"];
export type Health = components["schemas"]["Health"];
export type History = components["schemas"]["History"];
export type InitData = components["schemas"]["InitData"];
export type InitSession = components["schemas"]["InitSession"];
export type Introspection = components["schemas"]["Introspection"];
export type Jwk = components["schemas"]["Jwk"];
export type Jwks = components["schemas"]["Jwks"];
export type Jwt = components["schemas"]["Jwt"];
export type Key = components["schemas"]["Key"];
export type Language = components["schemas"]["Language"];
export type LastCheck = components["schemas"]["LastCheck"];
export type LastError = components["schemas"]["LastError"];
export type Login = components["schemas"]["Login"];
export type Logout = components["schemas"]["Logout"];
export type LogoutAll = components["schemas"]["LogoutAll"];
export type Message = components["schemas"]["Message"];
export type Metadata = components["schemas"]["Metadata"];
export type Milestone = components["schemas"]["Milestone"];
export type MissingScreenshot = components["schemas"]["MissingScreenshot"];
export type MockAnswer = components["schemas"]["MockAnswer"];
export type MockRefusal = components["schemas"]["MockRefusal"];
export type NewKey = components["schemas"]["NewKey"];
export type NewUser = components["schemas"]["NewUser"];
export type Notification = components["schemas"]["Notification"];
export type OAuthError = components["schemas"]["OAuthError"];
export type Operation = components["schemas"]["Operation"];
export type OwnSessions = components["schemas"]["OwnSessions"];
export type Password = components["schemas"]["Password"];
export type PastOperation = components["schemas"]["PastOperation"];
export type Payload = components["schemas"]["Payload"];
export type PortalCredentials = components["schemas"]["PortalCredentials"];
export type PortalError = components["schemas"]["PortalError"];
export type PortalFailure = components["schemas"]["PortalFailure"];
export type PortalId = components["schemas"]["PortalId"];
export type PortalPage = components["schemas"]["PortalPage"];
export type PortalSession = components["schemas"]["PortalSession"];
export type PortalSessions = components["schemas"]["PortalSessions"];
export type PostLoginTokens = components["schemas"]["PostLoginTokens"];
export type RefreshToken = components["schemas"]["RefreshToken"];
export type RenewData = components["schemas"]["RenewData"];
export type RenewSession = components["schemas"]["RenewSession"];
export type Renewed = components["schemas"]["Renewed"];
export type Replaced = components["schemas"]["Replaced"];
export type Reset = components["schemas"]["Reset"];
export type Role = components["schemas"]["Role"];
export type RotatedKey = components["schemas"]["RotatedKey"];
export type Rotation = components["schemas"]["Rotation"];
export type Scope = components["schemas"]["Scope"];
export type Screenshot = components["schemas"]["Screenshot"];
export type SealingKey = components["schemas"]["SealingKey"];
export type SealingKeys = components["schemas"]["SealingKeys"];
export type Served = components["schemas"]["Served"];
export type ServiceHealth = components["schemas"]["ServiceHealth"];
export type ServiceKeyId = components["schemas"]["ServiceKeyId"];
export type ServiceKeys = components["schemas"]["ServiceKeys"];
export type Session = components["schemas"]["Session"];
export type SessionId = components["schemas"]["SessionId"];
export type SessionInfo = components["schemas"]["SessionInfo"];
export type Source = components["schemas"]["Source"];
export type State = components["schemas"]["State"];
export type StateUse = components["schemas"]["StateUse"];
export type StorageState = components["schemas"]["StorageState"];
export type Success = components["schemas"]["Success"];
export type TextOrNumber = components["schemas"]["TextOrNumber"];
export type Time = components["schemas"]["Time"];
export type Timeline = components["schemas"]["Timeline"];
export type TokenForm = components["schemas"]["TokenForm"];
export type TokenRequest = components["schemas"]["TokenRequest"];
export type TokenUpdate = components["schemas"]["TokenUpdate"];
export type TokenUpdated = components["schemas"]["TokenUpdated"];
export type Tokens = components["schemas"]["Tokens"];
export type TokensOrCookies = components["schemas"]["TokensOrCookies"];
export type UpstoxToken = components["schemas"]["UpstoxToken"];
export type UpstreamToken = components["schemas"]["UpstreamToken"];
export type Upstreams = components["schemas"]["Upstreams"];
export type User = components["schemas"]["User"];
export type UserChange = components["schemas"]["UserChange"];
export type UserId = components["schemas"]["UserId"];
export type Users = components["schemas"]["Users"];
export type Validated = components["schemas"]["Validated"];
export type Validation = components["schemas"]["Validation"];
export type WrongField = components["schemas"]["WrongField"];
export type $defs = Record<string, never>;
export interface operations {
  jwks: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The keys. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "keys": [
           *         {
           *           "alg": "EdDSA",
           *           "crv": "Ed25519",
           *           "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
           *           "kty": "OKP",
           *           "use": "sig",
           *           "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Jwks"];
        };
      };
    };
  };
  metadata: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What there is, and where. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "grant_types_supported": [
           *         "refresh_token",
           *         "urn:ietf:params:oauth:grant-type:token-exchange"
           *       ],
           *       "introspection_endpoint": "https://auth.example.com/oauth/introspect",
           *       "introspection_endpoint_auth_methods_supported": [
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ],
           *       "issuer": "https://auth.example.com",
           *       "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
           *       "response_types_supported": [],
           *       "revocation_endpoint": "https://auth.example.com/oauth/revoke",
           *       "revocation_endpoint_auth_methods_supported": [
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ],
           *       "token_endpoint": "https://auth.example.com/oauth/token",
           *       "token_endpoint_auth_methods_supported": [
           *         "none",
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Metadata"];
        };
      };
    };
  };
  openidConfiguration: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What there is, and where. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "grant_types_supported": [
           *         "refresh_token",
           *         "urn:ietf:params:oauth:grant-type:token-exchange"
           *       ],
           *       "introspection_endpoint": "https://auth.example.com/oauth/introspect",
           *       "introspection_endpoint_auth_methods_supported": [
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ],
           *       "issuer": "https://auth.example.com",
           *       "jwks_uri": "https://auth.example.com/.well-known/jwks.json",
           *       "response_types_supported": [],
           *       "revocation_endpoint": "https://auth.example.com/oauth/revoke",
           *       "revocation_endpoint_auth_methods_supported": [
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ],
           *       "token_endpoint": "https://auth.example.com/oauth/token",
           *       "token_endpoint_auth_methods_supported": [
           *         "none",
           *         "client_secret_basic",
           *         "client_secret_post"
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Metadata"];
        };
      };
    };
  };
  listAccounts: {
    parameters: {
      query?: {
        /** How many are on a page. */
        limit?: number;
        /** `next_cursor` of the page before: the last account on it. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** A page of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "accounts": [
           *         {
           *           "account_id": "agnidata001",
           *           "approval_until": null,
           *           "expires_at": null,
           *           "has_token": false,
           *           "last_check": null,
           *           "last_error": null,
           *           "next_renewal_at": null,
           *           "source": null,
           *           "status": "missing",
           *           "ttl": 0,
           *           "user_id": null
           *         }
           *       ],
           *       "next_cursor": null,
           *       "total": 1
           *     }
           */
          "application/json": components["schemas"]["Accounts"];
        };
      };
    };
  };
  tokenHistory: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** At most 100. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "operations": [
           *         {
           *           "at": "2026-11-21T16:50:07+05:30",
           *           "calls": 3,
           *           "expires_at": "2026-11-22T03:30:00+05:30",
           *           "operation": "renew",
           *           "outcome": "ok",
           *           "request_id": "17c15ed4b176e8708d04dc7f8f304bed",
           *           "status": null,
           *           "who": "alarm"
           *         }
           *       ],
           *       "provider": "upstox"
           *     }
           */
          "application/json": components["schemas"]["History"];
        };
      };
    };
  };
  refreshToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "upstox-token",
           *       "account_id": "agnidata001",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "source": "cron",
           *       "success": true,
           *       "updated_by": null
           *     }
           */
          "application/json": components["schemas"]["UpstoxToken"];
        };
      };
      /** The owner has been asked to approve a token. The webhook brings it. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": "2026-11-21T17:05:07+05:30",
           *       "message": "Approval requested",
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["ApprovalRequested"];
        };
      };
    };
  };
  readToken: {
    parameters: {
      query?: {
        /** How many seconds the token is to have left. If a renewal cannot bring that about, the held one is given. */
        min_ttl?: number;
        /** The beginning of the SHA-256, in hexadecimal, of a token that was refused to the caller. If it is the held one, it is checked, or renewed where it cannot be, and replaced if it is dead. */
        not?: string;
        /** Which token. `extended` is one that lives longer than the day and does not trade, where there is one. */
        kind?: "trading" | "extended";
      };
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "upstox-token",
           *       "account_id": "agnidata001",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "source": "cron",
           *       "success": true,
           *       "updated_by": null
           *     }
           */
          "application/json": components["schemas"]["UpstoxToken"];
        };
      };
    };
  };
  exchangeCode: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "code": "mk404x"
         *     }
         */
        "application/json": components["schemas"]["AuthorizationCode"];
      };
    };
    responses: {
      /** There is a token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "message": "Token updated successfully",
           *       "source": "manual",
           *       "success": true,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["TokenUpdated"];
        };
      };
    };
  };
  requestToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The owner has been asked to approve a token. The webhook brings it. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": "2026-11-21T17:05:07+05:30",
           *       "message": "Approval requested",
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["ApprovalRequested"];
        };
      };
    };
  };
  tokenStatus: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What it is like. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": null,
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "has_token": true,
           *       "last_check": {
           *         "at": "2026-11-21T16:50:07+05:30",
           *         "outcome": "ok"
           *       },
           *       "last_error": null,
           *       "next_renewal_at": "2026-11-22T08:00:00+05:30",
           *       "source": "cron",
           *       "status": "valid",
           *       "ttl": 36000,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["AccountStatus"];
        };
      };
    };
  };
  updateToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "access_token": "upstox-token",
         *       "expires_at": "2026-11-22T03:30:00+05:30"
         *     }
         */
        "application/json": components["schemas"]["TokenUpdate"];
      };
    };
    responses: {
      /** It is taken over. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "message": "Token updated successfully",
           *       "source": "manual",
           *       "success": true,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["TokenUpdated"];
        };
      };
    };
  };
  validateToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What Upstox says. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "checked_at": "2026-11-21T16:50:07+05:30",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "reason": null,
           *       "user_id": "TR0001",
           *       "valid": true
           *     }
           */
          "application/json": components["schemas"]["Validation"];
        };
      };
    };
  };
  auditTrail: {
    parameters: {
      query?: {
        /** Not older than this. */
        since?: string;
        /** Older than this. */
        until?: string;
        /** What was done, such as `login`; of alerts the type of their event, such as `token.failing`. */
        action?: string;
        /** `ok`, a code, or `failed` for all but `ok`. */
        outcome?: string;
        /** The user who did it, or to whom it was done. */
        user_id?: number;
        /** The session, or the portal session. */
        session_id?: string;
        /** The upstream account, such as `upstox/agnidata001`. */
        account?: string;
        /** Who wanted it: `key:` and the name of a service key, `alarm`, `cron`. */
        service?: string;
        /** How many are on a page. */
        limit?: number;
        /** `next_cursor` of the page before. Records that have come since are not on the pages that follow. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** A page of them. With `unreachable`, some are missing. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "complete_since": "2026-11-20T15:00:40.000Z",
           *       "left_out": 0,
           *       "next_cursor": "001795532394010.591785b794601e21-000",
           *       "records": [
           *         {
           *           "account": "upstox/agnidata001",
           *           "action": "token.failing",
           *           "at": "2026-11-21T15:00:35.842Z",
           *           "expires_at": "2026-11-21T15:00:29.578Z",
           *           "id": "b1946ac92492d234-000",
           *           "outcome": "upstream_error"
           *         },
           *         {
           *           "account": "upstox/agnidata002",
           *           "action": "refresh_token",
           *           "at": "2026-11-21T14:59:55.537Z",
           *           "calls": 3,
           *           "expires_at": "2026-11-21T22:00:00.000Z",
           *           "id": "591785b794601e21-002",
           *           "outcome": "ok",
           *           "request_id": "17c15ed4b176e8708d04dc7f8f304bed",
           *           "service": "key:trading-bot"
           *         },
           *         {
           *           "action": "login",
           *           "address": "192.0.2.7",
           *           "at": "2026-11-21T14:59:54.120Z",
           *           "id": "591785b794601e21-001",
           *           "outcome": "invalid_credentials",
           *           "request_id": "10178a8eeb921df7907a11d03e6fba9c",
           *           "user_id": 3
           *         },
           *         {
           *           "action": "update_user",
           *           "actor": 1,
           *           "address": "192.0.2.1",
           *           "at": "2026-11-21T14:59:54.010Z",
           *           "changed": {
           *             "password": true,
           *             "roles": [
           *               "user"
           *             ]
           *           },
           *           "id": "591785b794601e21-000",
           *           "outcome": "ok",
           *           "request_id": "c8f0a2e1d6b34f57a9e0b1c2d3e4f506",
           *           "user_id": 3
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["AuditTrail"];
        };
      };
    };
  };
  portalPage: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As the log names the login: `emodal/…`. */
        portal: string;
        /** As the log names the login: `emodal/…`. */
        login: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The page, without what was typed in, what scripts hold, and what addresses carry. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "address": "https://portal.example.com/login",
           *       "at": "2026-11-21T11:20:07.446Z",
           *       "code": "portal_unintelligible",
           *       "expires_at": "2026-11-21T12:20:07.446Z",
           *       "looked_for": "the form of the login",
           *       "page": "<html><title>Maintenance</title></html>",
           *       "portal_login": "emodal/0qDGMi9xxzgPrDnRosceRxCpAiDFyZwuBEuRsV3BNbQ",
           *       "status": 200,
           *       "step": "login",
           *       "title": "Maintenance"
           *     }
           */
          "application/json": components["schemas"]["PortalPage"];
        };
      };
    };
  };
  sealingKeys: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The configured ones in their order, then the others. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "keys": [
           *         {
           *           "accounts": 12,
           *           "configured": true,
           *           "kid": "s1",
           *           "portal_sessions": 1,
           *           "seals": true
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["SealingKeys"];
        };
      };
    };
  };
  listServiceKeys: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** At most 1,000 that are good, and 1,000 that are not. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "service_keys": [
           *         {
           *           "created_at": "2026-11-21T11:20:07.446Z",
           *           "expires_at": null,
           *           "id": "0123456789ab",
           *           "last4": "once",
           *           "name": "billing",
           *           "revoked_at": null,
           *           "scopes": [
           *             "tokens:read"
           *           ],
           *           "status": "active"
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["ServiceKeys"];
        };
      };
    };
  };
  createServiceKey: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "expires_in_days": 90,
         *       "name": "billing",
         *       "scopes": [
         *         "tokens:read"
         *       ]
         *     }
         */
        "application/json": components["schemas"]["NewKey"];
      };
    };
    responses: {
      /** The key. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "expires_at": null,
           *       "id": "0123456789ab",
           *       "key": "sp_0123456789ab_shown-this-once",
           *       "name": "billing",
           *       "scopes": [
           *         "tokens:read"
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Key"];
        };
      };
    };
  };
  revokeServiceKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** It is revoked; maybe it was before. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  rotateServiceKey: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "overlap_hours": 48
         *     }
         */
        "application/json": components["schemas"]["Rotation"];
      };
    };
    responses: {
      /** The new key. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "expires_at": null,
           *       "id": "0123456789ab",
           *       "key": "sp_0123456789ab_shown-this-once",
           *       "name": "billing",
           *       "replaces": {
           *         "expires_at": "2026-11-22T03:30:00.000Z",
           *         "id": "0a1b2c3d4e5f"
           *       },
           *       "scopes": [
           *         "tokens:read"
           *       ]
           *     }
           */
          "application/json": components["schemas"]["RotatedKey"];
        };
      };
    };
  };
  activeSessions: {
    parameters: {
      query?: {
        /** How many are looked at for one page. */
        limit?: number;
        /** Of this user only. `limit` and `cursor` are then not read. */
        user_id?: number;
        /** Of this user only. */
        username?: string;
        /** Of this externally authenticated subject only, such as `VPB-SME-1234567890`. */
        subject?: string;
        /** `next_cursor` of the page before. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** A page of them. Made without KV, it may hold some more than were asked for. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "active_sessions": 1,
           *       "next_cursor": null,
           *       "sessions": [
           *         {
           *           "absolute_expires_at": "2026-12-21T11:20:07.446Z",
           *           "created_at": "2026-11-21T11:20:07.446Z",
           *           "device_name": null,
           *           "expires_at": "2026-11-21T11:55:07.446Z",
           *           "id": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d",
           *           "idle_expires_at": "2026-11-21T11:55:07.446Z",
           *           "jti": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d-1",
           *           "last_activity": "2026-11-21T11:25:07.446Z",
           *           "user_agent": "curl/8.5.0",
           *           "user_id": 2,
           *           "username": "testuser"
           *         }
           *       ],
           *       "user_id": null
           *     }
           */
          "application/json": components["schemas"]["ActiveSessions"];
        };
      };
    };
  };
  cleanup: {
    parameters: {
      query?: {
        /** `next_cursor` of the call before. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What was done. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "cleaned_sessions": 3,
           *       "next_cursor": null
           *     }
           */
          "application/json": components["schemas"]["Cleanup"];
        };
      };
    };
  };
  readSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The session. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "ended_at": "2026-11-21T11:25:07.446Z",
           *       "id": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d",
           *       "reason": "evicted",
           *       "state": "ended",
           *       "user_id": 2,
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["AnySession"];
        };
      };
    };
  };
  closeSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** It has ended. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  eraseSubject: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** Such as `VPB-SME-1234567890`. */
        subject: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** They are gone. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  closeSubjectSessions: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** Such as `VPB-SME-1234567890`. */
        subject: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** They have ended. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "closed_sessions": 2,
           *       "message": "Password changed"
           *     }
           */
          "application/json": components["schemas"]["ClosedSessions"];
        };
      };
    };
  };
  listUsers: {
    parameters: {
      query?: {
        /** How many are looked at for one page. */
        limit?: number;
        /** `next_cursor` of the page before: the id of the last user on it. */
        cursor?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** A page of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "next_cursor": null,
           *       "users": [
           *         {
           *           "created_at": "2026-11-21T11:20:07.446Z",
           *           "id": 2,
           *           "is_active": true,
           *           "roles": [
           *             "user"
           *           ],
           *           "username": "testuser"
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Users"];
        };
      };
    };
  };
  createUser: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "password": "correct horse battery",
         *       "roles": [
         *         "user"
         *       ],
         *       "username": "testuser"
         *     }
         */
        "application/json": components["schemas"]["NewUser"];
      };
    };
    responses: {
      /** The user. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "id": 2,
           *       "is_active": true,
           *       "roles": [
           *         "user"
           *       ],
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["User"];
        };
      };
    };
  };
  readUser: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The user. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "id": 2,
           *       "is_active": true,
           *       "roles": [
           *         "user"
           *       ],
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["User"];
        };
      };
    };
  };
  deleteUser: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The user is gone. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  updateUser: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "is_active": true,
         *       "roles": [
         *         "user",
         *         "auditor"
         *       ]
         *     }
         */
        "application/json": components["schemas"]["UserChange"];
      };
    };
    responses: {
      /** The user. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "id": 2,
           *       "is_active": true,
           *       "roles": [
           *         "user"
           *       ],
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["User"];
        };
      };
    };
  };
  resetAdmin: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "password": "correct horse battery"
         *     }
         */
        "application/json": components["schemas"]["Reset"];
      };
    };
    responses: {
      /** The user. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "id": 2,
           *       "is_active": true,
           *       "roles": [
           *         "user"
           *       ],
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["User"];
        };
      };
    };
  };
  closeUserSessions: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** They have ended. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "closed_sessions": 2,
           *       "message": "Password changed"
           *     }
           */
          "application/json": components["schemas"]["ClosedSessions"];
        };
      };
    };
  };
  unlockUser: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** In any spelling of it. */
        username: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** They are forgotten. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  mockValidateSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What it says of the token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": {
           *         "isExpire": false,
           *         "sessionToken": "external-token",
           *         "userId": "1234567890",
           *         "validatedAt": "2026-11-21T11:20:07.446Z"
           *       },
           *       "message": "Session validation completed",
           *       "status": "success"
           *     }
           */
          "application/json": components["schemas"]["MockAnswer"];
        };
      };
    };
  };
  readData: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The document. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": {
           *         "theme": "dark"
           *       }
           *     }
           */
          "application/json": components["schemas"]["Document"];
        };
      };
    };
  };
  writeData: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        "application/json": unknown;
      };
    };
    responses: {
      /** The document. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "data": {
           *         "theme": "dark"
           *       }
           *     }
           */
          "application/json": components["schemas"]["Document"];
        };
      };
    };
  };
  readFacturifyToken: {
    parameters: {
      query?: {
        /** How many seconds the token is to have left. If a renewal cannot bring that about, the held one is given. */
        min_ttl?: number;
        /** The beginning of the SHA-256, in hexadecimal, of a token that was refused to the caller. If it is the held one, it is checked, or renewed where it cannot be, and replaced if it is dead. */
        not?: string;
        /** Which token. `extended` is one that lives longer than the day and does not trade, where there is one. */
        kind?: "trading" | "extended";
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "token": "facturify-token",
           *       "ttl": 82800
           *     }
           */
          "application/json": components["schemas"]["FacturifyToken"];
        };
      };
    };
  };
  obtainFacturifyToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "jwt": {
           *         "expires_in": 86400,
           *         "token": "facturify-token"
           *       },
           *       "message": "Token obtained successfully"
           *     }
           */
          "application/json": components["schemas"]["FacturifyJwt"];
        };
      };
    };
  };
  facturifyTokenHistory: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** At most 100. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "operations": [
           *         {
           *           "at": "2026-11-21T16:50:07+05:30",
           *           "calls": 3,
           *           "expires_at": "2026-11-22T03:30:00+05:30",
           *           "operation": "renew",
           *           "outcome": "ok",
           *           "request_id": "17c15ed4b176e8708d04dc7f8f304bed",
           *           "status": null,
           *           "who": "alarm"
           *         }
           *       ],
           *       "provider": "upstox"
           *     }
           */
          "application/json": components["schemas"]["History"];
        };
      };
    };
  };
  refreshFacturifyToken: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "jwt": {
           *         "expires_in": 86400,
           *         "token": "facturify-token"
           *       },
           *       "message": "Token obtained successfully"
           *     }
           */
          "application/json": components["schemas"]["FacturifyJwt"];
        };
      };
    };
  };
  facturifyTokenStatus: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What it is like. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": null,
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "has_token": true,
           *       "last_check": {
           *         "at": "2026-11-21T16:50:07+05:30",
           *         "outcome": "ok"
           *       },
           *       "last_error": null,
           *       "next_renewal_at": "2026-11-22T08:00:00+05:30",
           *       "source": "cron",
           *       "status": "valid",
           *       "ttl": 36000,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["AccountStatus"];
        };
      };
    };
  };
  postLoginHealth: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** They are. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "service": "postlogin",
           *       "status": "healthy"
           *     }
           */
          "application/json": components["schemas"]["Served"];
        };
      };
    };
  };
  initSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "data": {
         *         "cif": "1234567890",
         *         "payload": {
         *           "channelId": "sme"
         *         },
         *         "tokenKey": "external-token"
         *       }
         *     }
         */
        "application/json": components["schemas"]["InitSession"];
      };
    };
    responses: {
      /** A pair of tokens. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "message": "SME session initialized successfully",
           *       "refreshToken": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.cmVmcmVzaA",
           *       "token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz"
           *     }
           */
          "application/json": components["schemas"]["PostLoginTokens"];
        };
      };
    };
  };
  renewSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "data": {
         *         "refreshToken": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln"
         *       }
         *     }
         */
        "application/json": components["schemas"]["RenewSession"];
      };
    };
    responses: {
      /** A pair of tokens. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "message": "SME session initialized successfully",
           *       "refreshToken": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.cmVmcmVzaA",
           *       "token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz"
           *     }
           */
          "application/json": components["schemas"]["PostLoginTokens"];
        };
      };
    };
  };
  protected: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The greeting. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "message": "Hello testuser!"
           *     }
           */
          "application/json": components["schemas"]["Greeting"];
        };
      };
    };
  };
  listTokens: {
    parameters: {
      query?: {
        /** How many are on a page. */
        limit?: number;
        /** `next_cursor` of the page before: the last account on it. */
        cursor?: string;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** A page of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "accounts": [
           *         {
           *           "account_id": "default",
           *           "approval_until": null,
           *           "expires_at": "2026-11-21T11:20:07.446Z",
           *           "has_token": false,
           *           "issued_at": "2026-11-20T23:20:07.446Z",
           *           "last_check": null,
           *           "last_error": {
           *             "at": "2026-11-21T11:40:07.446Z",
           *             "code": "upstream_unavailable",
           *             "failures": 9,
           *             "since": "2026-11-21T11:19:07.446Z",
           *             "status": 503
           *           },
           *           "next_renewal_at": "2026-11-21T11:45:07.446Z",
           *           "provider": "facturify",
           *           "source": "refresh",
           *           "status": "failing",
           *           "ttl": 0,
           *           "user_id": null
           *         }
           *       ],
           *       "next_cursor": null,
           *       "total": 1
           *     }
           */
          "application/json": components["schemas"]["AnyAccounts"];
        };
      };
    };
  };
  readAnyToken: {
    parameters: {
      query?: {
        /** How many seconds the token is to have left. If a renewal cannot bring that about, the held one is given. */
        min_ttl?: number;
        /** The beginning of the SHA-256, in hexadecimal, of a token that was refused to the caller. If it is the held one, it is checked, or renewed where it cannot be, and replaced if it is dead. */
        not?: string;
        /** Which token. `extended` is one that lives longer than the day and does not trade, where there is one. */
        kind?: "trading" | "extended";
      };
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "upstream-token",
           *       "expires_at": "2026-11-21T12:20:07.446Z",
           *       "expires_in": 3540,
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["UpstreamToken"];
        };
      };
    };
  };
  anyTokenHistory: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** At most 100. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "operations": [
           *         {
           *           "at": "2026-11-21T16:50:07+05:30",
           *           "calls": 3,
           *           "expires_at": "2026-11-22T03:30:00+05:30",
           *           "operation": "renew",
           *           "outcome": "ok",
           *           "request_id": "17c15ed4b176e8708d04dc7f8f304bed",
           *           "status": null,
           *           "who": "alarm"
           *         }
           *       ],
           *       "provider": "upstox"
           *     }
           */
          "application/json": components["schemas"]["History"];
        };
      };
    };
  };
  refreshAnyToken: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The token. An admin is given what it is like instead. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "upstream-token",
           *       "expires_at": "2026-11-21T12:20:07.446Z",
           *       "expires_in": 3540,
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["Renewed"];
        };
      };
    };
  };
  anyTokenStatus: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `facturify`, `upstox` or `oauth2`. */
        provider: string;
        /** As the settings call it; of `facturify` it is `default`. */
        account_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What it is like. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": null,
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "has_token": true,
           *       "last_check": {
           *         "at": "2026-11-21T16:50:07+05:30",
           *         "outcome": "ok"
           *       },
           *       "last_error": null,
           *       "next_renewal_at": "2026-11-22T08:00:00+05:30",
           *       "source": "cron",
           *       "status": "valid",
           *       "ttl": 36000,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["AccountStatus"];
        };
      };
    };
  };
  login: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "device_name": "Work laptop",
         *       "password": "correct horse battery",
         *       "username": "testuser"
         *     }
         */
        "application/json": components["schemas"]["Login"];
      };
    };
    responses: {
      /** A pair of tokens, or `Set-Cookie` with them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz",
           *       "expires_in": 900,
           *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln",
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["TokensOrCookies"];
        };
      };
    };
  };
  logout: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln"
         *     }
         */
        "application/json": components["schemas"]["Logout"];
      };
    };
    responses: {
      /** The session has ended. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "message": "Logged out successfully"
           *     }
           */
          "application/json": components["schemas"]["Message"];
        };
      };
    };
  };
  logoutAll: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "keep_current": true
         *     }
         */
        "application/json": components["schemas"]["LogoutAll"];
      };
    };
    responses: {
      /** They have ended. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "closed_sessions": 2,
           *       "message": "Password changed"
           *     }
           */
          "application/json": components["schemas"]["ClosedSessions"];
        };
      };
    };
  };
  changePassword: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "new_password": "staple horse correct",
         *       "old_password": "correct horse battery"
         *     }
         */
        "application/json": components["schemas"]["ChangePassword"];
      };
    };
    responses: {
      /** It is changed. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "closed_sessions": 2,
           *       "message": "Password changed"
           *     }
           */
          "application/json": components["schemas"]["ClosedSessions"];
        };
      };
    };
  };
  profile: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The user. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "id": 2,
           *       "is_active": true,
           *       "roles": [
           *         "user"
           *       ],
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["User"];
        };
      };
    };
  };
  reauthenticate: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "password": "correct horse battery"
         *     }
         */
        "application/json": components["schemas"]["Password"];
      };
    };
    responses: {
      /** A pair of tokens, of the next generation or of the newest one; by cookie, `Set-Cookie` with them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz",
           *       "expires_in": 900,
           *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln",
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["TokensOrCookies"];
        };
      };
    };
  };
  refresh: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: {
      content: {
        /**
         * @example {
         *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln"
         *     }
         */
        "application/json": components["schemas"]["RefreshToken"];
      };
    };
    responses: {
      /** A pair of tokens, or `Set-Cookie` with them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz",
           *       "expires_in": 900,
           *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2ln",
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["TokensOrCookies"];
        };
      };
    };
  };
  currentSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The session. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "absolute_expires_at": "2026-12-21T11:20:07.446Z",
           *       "auth_time": "2026-11-21T11:20:07Z",
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "device_name": "Work laptop",
           *       "expires_at": "2026-11-21T11:55:07.446Z",
           *       "idle_expires_at": "2026-11-21T11:55:07.446Z",
           *       "inactivity_timeout": 1800,
           *       "last_activity": "2026-11-21T11:25:07.446Z",
           *       "roles": [
           *         "user"
           *       ],
           *       "server_time": "2026-11-21T11:26:01.002Z",
           *       "session_id": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d",
           *       "user_agent": "curl/8.5.0",
           *       "user_id": 2,
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["CurrentSession"];
        };
      };
    };
  };
  ownSessions: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** All of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "sessions": [
           *         {
           *           "absolute_expires_at": "2026-12-21T11:20:07.446Z",
           *           "created_at": "2026-11-21T11:20:07.446Z",
           *           "current": true,
           *           "device_name": "Work laptop",
           *           "expires_at": "2026-11-21T11:55:07.446Z",
           *           "id": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d",
           *           "idle_expires_at": "2026-11-21T11:55:07.446Z",
           *           "jti": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d-1",
           *           "last_activity": "2026-11-21T11:25:07.446Z",
           *           "user_agent": "curl/8.5.0"
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["OwnSessions"];
        };
      };
    };
  };
  closeOwnSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** It has ended. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  verify: {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-put": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-post": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-delete": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-options": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-head": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  "verify-patch": {
    parameters: {
      query?: {
        /** A role that the user must have. Given more than once, all of them. Other parameters are not looked at. */
        role?: string[];
        /** How many seconds ago the user may have logged in, or given the password again, at the most. Given more than once, the shortest counts. */
        max_age?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The caller is let in. `X-Auth-User`, `X-Auth-Username`, `X-Auth-Session` and `X-Auth-Roles` say who it is, `X-Auth-Expires` when the token expires; with `max_age`, `X-Auth-Time` when the user logged in. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  checkAppointments: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "container_id": "MSCU5165756",
         *       "move_type": "PICK FULL",
         *       "own_chassis": false,
         *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
         *       "terminal": "North",
         *       "truck_plate": "ABC123",
         *       "trucking_company": "Acme Trucking"
         *     }
         */
        "application/json":
          | {
              appointment_session_id?: string | null;
              booking_number?: string | null;
              captcha_api_key?: string | null;
              container_id?: string | null;
              debug?: boolean | null;
              keep_alive?: boolean | null;
              language?: components["schemas"]["Language"] | null;
              move_type?: string | null;
              own_chassis?: boolean | null;
              password?: string | null;
              pin_code?: string | null;
              session_id?: string | null;
              terminal?: string | null;
              truck_plate?: string | null;
              trucking_company?: string | null;
              username?: string | null;
            }
          | unknown
          | unknown;
      };
    };
    responses: {
      /** What came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "appointment_session_id": "appointment_1795577131_54e13d4f57ade9fa97d54084c22eaca4",
           *       "available_times": [
           *         "Tuesday 11/24/2026 10:00 - 11:00"
           *       ],
           *       "count": 1,
           *       "is_new_session": false,
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["AppointmentTimes"];
        };
      };
    };
  };
  sessionInfo: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The session. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "absolute_expires_at": "2026-12-21T11:20:07.446Z",
           *       "active_sessions": 1,
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "idle_expires_at": "2026-11-21T11:55:07.446Z",
           *       "jti": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d-1",
           *       "last_activity": "2026-11-21T11:25:07.446Z",
           *       "session_id": "1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d1775ac2d",
           *       "session_valid": true,
           *       "user_id": 2
           *     }
           */
          "application/json": components["schemas"]["SessionInfo"];
        };
      };
    };
  };
  getContainerTimeline: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "container_id": "MSCU5165756",
         *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78"
         *     }
         */
        "application/json":
          | {
              captcha_api_key?: string | null;
              container_id: string | null;
              debug?: boolean | null;
              keep_alive?: boolean | null;
              language?: components["schemas"]["Language"] | null;
              password?: string | null;
              session_id?: string | null;
              username?: string | null;
            }
          | unknown
          | unknown;
      };
    };
    responses: {
      /** What came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "container_id": "MSCU5165756",
           *       "is_new_session": false,
           *       "milestone_count": 1,
           *       "passed_pregate": true,
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "success": true,
           *       "timeline": [
           *         {
           *           "date": "10/15/2026 11:05",
           *           "milestone": "Pregate",
           *           "status": "completed"
           *         }
           *       ]
           *     }
           */
          "application/json": components["schemas"]["Timeline"];
        };
      };
    };
  };
  getContainers: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
         *       "target_count": 50
         *     }
         */
        "application/json":
          | {
              captcha_api_key?: string | null;
              debug?: boolean | null;
              infinite_scrolling?: boolean | null;
              keep_alive?: boolean | null;
              language?: components["schemas"]["Language"] | null;
              password?: string | null;
              session_id?: string | null;
              skip?: number | null;
              target_container_id?: string | null;
              target_count?: number | null;
              username?: string | null;
            }
          | unknown
          | unknown;
      };
    };
    responses: {
      /** What came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "containers": [
           *         {
           *           "Container #": "MSCU5165756",
           *           "Status": "Available"
           *         }
           *       ],
           *       "is_new_session": false,
           *       "scroll_cycles": 0,
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "stopped_reason": "end_of_list",
           *       "success": true,
           *       "total_containers": 1
           *     }
           */
          "application/json": components["schemas"]["Containers"];
        };
      };
    };
  };
  getPortalSession: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "captcha_api_key": "captcha-key",
         *       "keep_alive": true,
         *       "password": "correct horse",
         *       "username": "dispatcher"
         *     }
         */
        "application/json": components["schemas"]["PortalCredentials"];
      };
    };
    responses: {
      /** The session. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "browser_seconds": 0,
           *       "created_at": "2026-11-21T11:20:07.446Z",
           *       "expires_at": null,
           *       "is_new": true,
           *       "keep_alive": true,
           *       "message": "New persistent session created",
           *       "previous_ended": null,
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "success": true,
           *       "username": "dispatcher"
           *     }
           */
          "application/json": components["schemas"]["GotSession"];
        };
      };
    };
  };
  health: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** It answers. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "accounts": {
           *         "failed": 0,
           *         "healthy": 2,
           *         "total": 2
           *       },
           *       "active_sessions": 1,
           *       "current_time_ist": "2026-11-21T16:50:07+05:30",
           *       "persistent_sessions": 1,
           *       "service": "sallyport",
           *       "status": "healthy",
           *       "timestamp": "2026-11-21T11:20:07.446Z",
           *       "upstreams": {
           *         "facturify": {
           *           "available": 1,
           *           "failed": 0,
           *           "healthy": 1,
           *           "misconfigured": 0,
           *           "total": 1
           *         },
           *         "oauth2": {
           *           "available": 0,
           *           "failed": 0,
           *           "healthy": 0,
           *           "misconfigured": 0,
           *           "total": 0
           *         },
           *         "upstox": {
           *           "available": 2,
           *           "failed": 0,
           *           "healthy": 2,
           *           "misconfigured": 0,
           *           "total": 2
           *         }
           *       },
           *       "version": "0.1.0"
           *     }
           */
          "application/json": components["schemas"]["ServiceHealth"];
        };
      };
    };
  };
  makeAppointment: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "appointment_session_id": "appointment_1795577131_54e13d4f57ade9fa97d54084c22eaca4",
         *       "appointment_time": "Tuesday 11/24/2026 10:00 - 11:00",
         *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78"
         *     }
         */
        "application/json":
          | {
              appointment_session_id?: string | null;
              appointment_time?: string | null;
              booking_number?: string | null;
              captcha_api_key?: string | null;
              container_id?: string | null;
              debug?: boolean | null;
              keep_alive?: boolean | null;
              language?: components["schemas"]["Language"] | null;
              move_type?: string | null;
              own_chassis?: boolean | null;
              password?: string | null;
              pin_code?: string | null;
              session_id?: string | null;
              terminal?: string | null;
              truck_plate?: string | null;
              trucking_company?: string | null;
              username?: string | null;
            }
          | unknown
          | unknown;
      };
    };
    responses: {
      /** What came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "appointment_confirmed": true,
           *       "appointment_details": {
           *         "Confirmation": "A-1001"
           *       },
           *       "is_new_session": false,
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["Appointment"];
        };
      };
    };
  };
  metrics: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The gauges. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "text/plain": string;
        };
      };
    };
  };
  introspect: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz"
         *     }
         */
        "application/x-www-form-urlencoded": components["schemas"]["TokenForm"];
      };
    };
    responses: {
      /** What is known of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "active": true,
           *       "auth_time": 1796047265,
           *       "exp": 1796048165,
           *       "jti": "afd347d0c2b1f8a9afd347d0c2b1f8a9afd347d0c2b1f8a9afd347d0c2b1f8a9.0",
           *       "roles": [
           *         "user"
           *       ],
           *       "sid": "afd347d0c2b1f8a9afd347d0c2b1f8a9afd347d0c2b1f8a9afd347d0c2b1f8a9",
           *       "sub": "2",
           *       "token_type": "bearer",
           *       "username": "testuser"
           *     }
           */
          "application/json": components["schemas"]["Introspection"];
        };
      };
    };
  };
  revoke: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz"
         *     }
         */
        "application/x-www-form-urlencoded": components["schemas"]["TokenForm"];
      };
    };
    responses: {
      /** Whatever it was, it is good for nothing now. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
    };
  };
  token: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "channel_id": "sme",
         *       "cif": "1234567890",
         *       "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
         *       "subject_token": "external-token",
         *       "subject_token_type": "urn:ietf:params:oauth:token-type:access_token"
         *     }
         */
        "application/x-www-form-urlencoded": components["schemas"]["TokenRequest"];
      };
    };
    responses: {
      /** A pair of tokens. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "access_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.YWNjZXNz",
           *       "expires_in": 900,
           *       "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
           *       "refresh_token": "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.cmVmcmVzaA",
           *       "token_type": "bearer"
           *     }
           */
          "application/json": components["schemas"]["GrantedTokens"];
        };
      };
    };
  };
  runPortalOperation: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `emodal`, or a name in `PORTALS`. */
        portal: string;
        /** As the portal's document names it. */
        operation: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78"
         *     }
         */
        "application/json":
          | {
              appointment_session_id?: string | null;
              captcha_api_key?: string | null;
              debug?: boolean | null;
              keep_alive?: boolean | null;
              language?: components["schemas"]["Language"] | null;
              password?: string | null;
              session_id?: string | null;
              username?: string | null;
            }
          | unknown
          | unknown;
      };
    };
    responses: {
      /** What came of it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "is_new_session": false,
           *       "load_count": 1,
           *       "loads": [
           *         {
           *           "load": "L1",
           *           "state": "late"
           *         }
           *       ],
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["Answered"];
        };
      };
    };
  };
  listPortalSessions: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** All of them. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "sessions": [
           *         {
           *           "browser_seconds": 214.08,
           *           "captchas_saved": 41,
           *           "created_at": "2026-11-21T11:20:07.446Z",
           *           "keep_alive": true,
           *           "last_failure": {
           *             "at": "2026-11-21T11:20:07.446Z",
           *             "code": "portal_timeout",
           *             "step": "list"
           *           },
           *           "last_used": "2026-11-21T11:25:07.446Z",
           *           "logins_saved": 41,
           *           "portal_login": "emodal/0qDGMi9xxzgPrDnRosceRxCpAiDFyZwuBEuRsV3BNbQ",
           *           "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *           "username": "dispatcher"
           *         }
           *       ],
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["PortalSessions"];
        };
      };
    };
  };
  closePortalSession: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** It is closed. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["Success"];
        };
      };
    };
  };
  portalScreenshot: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
        /** As a list or an answer has it. */
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What the page looked like, with time, address, user and container above it. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          "image/jpeg": string;
        };
      };
    };
  };
  portalSessionState: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** As a list or an answer has it. */
        session_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** The state, when what was being done at the portal is done. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "as_of": "2026-11-21T11:25:07.446Z",
           *       "session_id": "session_1795577131_a1c19ddc303b94e03f8646ab74832c78",
           *       "storage_state": {
           *         "cookies": [
           *           {
           *             "domain": "portal.example.com",
           *             "expires": -1,
           *             "httpOnly": true,
           *             "name": "sid",
           *             "path": "/",
           *             "sameSite": "Lax",
           *             "secure": true,
           *             "value": "4f2a9c"
           *           }
           *         ],
           *         "origins": [
           *           {
           *             "localStorage": [
           *               {
           *                 "name": "lang",
           *                 "value": "en"
           *               }
           *             ],
           *             "origin": "https://portal.example.com"
           *           }
           *         ]
           *       },
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["GotState"];
        };
      };
    };
  };
  tokenStatusOfDefault: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What it is like. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "approval_until": null,
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "has_token": true,
           *       "last_check": {
           *         "at": "2026-11-21T16:50:07+05:30",
           *         "outcome": "ok"
           *       },
           *       "last_error": null,
           *       "next_renewal_at": "2026-11-22T08:00:00+05:30",
           *       "source": "cron",
           *       "status": "valid",
           *       "ttl": 36000,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["AccountStatus"];
        };
      };
    };
  };
  updateTokenOfDefault: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "access_token": "upstox-token",
         *       "expires_at": "2026-11-22T03:30:00+05:30"
         *     }
         */
        "application/json": components["schemas"]["TokenUpdate"];
      };
    };
    responses: {
      /** It is taken over. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "message": "Token updated successfully",
           *       "source": "manual",
           *       "success": true,
           *       "user_id": "TR0001"
           *     }
           */
          "application/json": components["schemas"]["TokenUpdated"];
        };
      };
    };
  };
  validateTokenOfDefault: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** What Upstox says. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "account_id": "agnidata001",
           *       "checked_at": "2026-11-21T16:50:07+05:30",
           *       "expires_at": "2026-11-22T03:30:00+05:30",
           *       "reason": null,
           *       "user_id": "TR0001",
           *       "valid": true
           *     }
           */
          "application/json": components["schemas"]["Validation"];
        };
      };
    };
  };
  notify: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** `UPSTOX_NOTIFIER_SECRET`. */
        secret: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "access_token": "upstox-token",
         *       "client_id": "615b1297-d443-3b39-ba19-1927fbcdddc7",
         *       "expires_at": "1763589600000",
         *       "user_id": "TR0001"
         *     }
         */
        "application/json": components["schemas"]["Notification"];
      };
    };
    responses: {
      /** It is taken over. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "success": true
           *     }
           */
          "application/json": components["schemas"]["Success"];
        };
      };
    };
  };
}
