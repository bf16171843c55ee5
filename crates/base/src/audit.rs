//! The names of what audit records are about.

crate::words! {
    /// What was done. What stands after "Outcome:" is the column of that name in `docs/logs.md`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Action {
        /// a login with a well-formed body; if it is refused, the record names the user who has the name, if there is one, and
        /// no actor
        /// Outcome: `ok`, or the code
        Login = "login",
        /// a login at the limit ended the session that had been idle longest
        /// Outcome: `ok`, `service_unavailable`
        Evict = "evict",
        /// a login ended the older session whose token it was sent with
        /// Outcome: `ok`, `service_unavailable`
        Replace = "replace",
        /// a refresh; if it is refused, the record names the session if the token is genuine
        /// Outcome: `ok`, or the code
        Refresh = "refresh",
        /// a [post-login session](post-login.md) with well-formed fields began, or was refused; by a token exchange `service` says
        /// for whom
        /// Outcome: `ok`, or the code
        InitSession = "init_session",
        /// the renewal of a post-login session, or its refusal
        /// Outcome: `ok`, or the code
        RenewSession = "renew_session",
        /// an old refresh token was used again, and the session was ended
        /// Outcome: `refresh_token_reused`
        Reuse = "reuse",
        /// `POST /auth/reauthenticate`
        /// Outcome: `ok`, or the code
        Reauthenticate = "reauthenticate",
        /// `POST /admin/users/{username}/unlock`
        /// Outcome: `ok`
        UnlockUser = "unlock_user",
        /// `POST /auth/password`
        /// Outcome: `ok`, or the code
        ChangePassword = "change_password",
        /// a logout, once for each session that it ended
        /// Outcome: `ok`
        Logout = "logout",
        /// `POST /auth/logout-all` took `sessions` sessions off the user's list
        /// Outcome: `ok`
        LogoutAll = "logout_all",
        /// a user ended one of their sessions by its id
        /// Outcome: `ok`
        CloseSession = "close_session",
        /// `POST /oauth/revoke` ended a session; `service` says for whom, `user_id` is the user
        /// Outcome: `ok`
        RevokeSession = "revoke_session",
        /// an admin created a user
        /// Outcome: `ok`
        CreateUser = "create_user",
        /// the first admin was created; or the key was wrong, came too late, or was used for another role
        /// Outcome: `ok`, `forbidden`
        BootstrapAdmin = "bootstrap_admin",
        /// an admin changed a user; `changed` says what: the new `roles`, the new `is_active`, `password` if there is a new one
        /// Outcome: `ok`
        UpdateUser = "update_user",
        /// an admin removed a user; before it, an `update_user` says that the user was disabled
        /// Outcome: `ok`
        DeleteUser = "delete_user",
        /// the [reset secret](users.md#recovering-admin-access) made a user an admin; or it was wrong, is not set, or has been
        /// used
        /// Outcome: `ok`, or the code
        ResetAdmin = "reset_admin",
        /// after a change of a user: `sessions` sessions have ended, or one could not be reached
        /// Outcome: `ok`, `service_unavailable`
        EndSessions = "end_sessions",
        /// after new roles: the open sessions have been updated, or one could not be reached
        /// Outcome: `ok`, `service_unavailable`
        UpdateSessions = "update_sessions",
        /// an admin ended a session; `user_id` is the user whose it was
        /// Outcome: `ok`
        AdminCloseSession = "admin_close_session",
        /// an admin took all `sessions` sessions of a user off the user's list; `user_id` is the user
        /// Outcome: `ok`
        AdminCloseSessions = "admin_close_sessions",
        /// an admin ended all `sessions` sessions of an externally authenticated customer, to erase the customer; `customer`
        /// says which
        /// Outcome: `ok`
        EraseCustomer = "erase_customer",
        /// an admin ran the cleanup
        /// Outcome: `ok`
        Cleanup = "cleanup",
        /// an admin created a service key
        /// Outcome: `ok`
        CreateServiceKey = "create_service_key",
        /// an admin replaced a service key; the new one has a `create_service_key` of its own
        /// Outcome: `ok`
        RotateServiceKey = "rotate_service_key",
        /// an admin revoked a service key, or one that was already revoked
        /// Outcome: `ok`
        RevokeServiceKey = "revoke_service_key",
        /// an admin read the last page of a failed step at a portal
        /// Outcome: `ok`
        ReadPortalPage = "read_portal_page",
        /// a service read an upstream token, or was told why there is none
        /// Outcome: `ok`, or the code
        ReadToken = "read_token",
        /// an attempt to get a valid token, in whatever way the provider has
        /// Outcome: `ok`, or the code
        RenewToken = "renew_token",
        /// an attempt to get a new token with the credentials
        /// Outcome: `ok`, or the code
        ObtainToken = "obtain_token",
        /// an attempt to get a new token, although the current one may be valid
        /// Outcome: `ok`, or the code
        RefreshToken = "refresh_token",
        /// the upstream was asked whether it accepts the current token
        /// Outcome: `ok`, or the code
        CheckToken = "check_token",
        /// a token was supplied, by a caller or the webhook
        /// Outcome: `ok`, or the code
        UpdateToken = "update_token",
        /// an authorization code was exchanged for a token
        /// Outcome: `ok`, or the code
        ExchangeCode = "exchange_code",
        /// the owner was asked to approve a token
        /// Outcome: `approval_pending`, or the code
        RequestToken = "request_token",
        /// `POST /get_session` with well-formed fields; `session_id` is the portal session's
        /// Outcome: `ok`, or the code
        GetPortalSession = "get_portal_session",
        /// a service read the state of a portal session, or was told why not; `session_id` is the portal session's, `key_id` its key's
        /// Outcome: `ok`, or the code
        ReadPortalState = "read_portal_state",
        /// a login at a portal finished, whoever started it
        /// Outcome: `ok`, or the code
        PortalLogin = "portal_login",
        /// a keep-alive failed; a successful one writes no record
        /// Outcome: the code
        PortalKeepAlive = "portal_keep_alive",
        /// an operation at a portal finished; an appointment that [needs more](portal.md#continuing-an-appointment) is `ok`
        /// Outcome: `ok`, or the code
        PortalOperation = "portal_operation",
        /// a logout at a portal was attempted
        /// Outcome: `ok`, or the code
        PortalLogout = "portal_logout",
        /// a portal session ended; `reason` says [how](portal.md#ends)
        /// Outcome: `ok`
        PortalClose = "portal_close",
        /// a session's alarm ended it; `reason` is `inactivity` or `lifetime`. There is no request, so no `request_id`, `actor`
        /// or `address`
        /// Outcome: `ok`
        Expire = "expire",
    }
}
