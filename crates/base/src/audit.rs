//! The names of what audit records are about.

crate::words! {
    /// What was done. What stands after "Outcome:" is the column of that name in `docs/logs.md`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Action {
        /// a login with a well-formed body; a refused one names the user whose name was tried, if there is one, and no actor
        /// Outcome: `ok`, or the code
        Login = "login",
        /// a login at the limit ended the session idle longest
        /// Outcome: `ok`, `service_unavailable`
        Evict = "evict",
        /// a login ended the older session whose token came with it
        /// Outcome: `ok`, `service_unavailable`
        Replace = "replace",
        /// a refresh; a refused one names the session where the token is genuine
        /// Outcome: `ok`, or the code
        Refresh = "refresh",
        /// a [post-login session](post-login.md) with well-formed fields begins, or is refused
        /// Outcome: `ok`, or the code
        InitSession = "init_session",
        /// one is renewed, or that is refused
        /// Outcome: `ok`, or the code
        RenewSession = "renew_session",
        /// an old refresh token came again, and the session was ended
        /// Outcome: `refresh_token_reused`
        Reuse = "reuse",
        /// `POST /admin/users/{username}/unlock`
        /// Outcome: `ok`
        UnlockUser = "unlock_user",
        /// `POST /auth/password`
        /// Outcome: `ok`, or the code
        ChangePassword = "change_password",
        /// a logout, once for each session that it ends
        /// Outcome: `ok`
        Logout = "logout",
        /// `POST /auth/logout-all` took `sessions` sessions off the list
        /// Outcome: `ok`
        LogoutAll = "logout_all",
        /// a user ended one of their sessions by its id
        /// Outcome: `ok`
        CloseSession = "close_session",
        /// an admin made a user
        /// Outcome: `ok`
        CreateUser = "create_user",
        /// the first admin was made; or the key was wrong, came too late, or for another role
        /// Outcome: `ok`, `forbidden`
        BootstrapAdmin = "bootstrap_admin",
        /// an admin changed a user; `changed` says what: the new `roles`, the new `is_active`, `password` if there is a new one
        /// Outcome: `ok`
        UpdateUser = "update_user",
        /// an admin removed a user; before it, an `update_user` says that the user was disabled
        /// Outcome: `ok`
        DeleteUser = "delete_user",
        /// the [reset secret](users.md#the-way-back-in) made a user an admin; or it was wrong, is not set, or has been used
        /// Outcome: `ok`, or the code
        ResetAdmin = "reset_admin",
        /// what followed for the sessions of a user, `sessions` of them: they have ended, or one could not be reached
        /// Outcome: `ok`, `service_unavailable`
        EndSessions = "end_sessions",
        /// what followed new roles: the sessions have been told, or one could not be reached
        /// Outcome: `ok`, `service_unavailable`
        UpdateSessions = "update_sessions",
        /// an admin ended a session; `user_id` is whose it was
        /// Outcome: `ok`
        AdminCloseSession = "admin_close_session",
        /// an admin took all `sessions` sessions of a user off the list; `user_id` is whose
        /// Outcome: `ok`
        AdminCloseSessions = "admin_close_sessions",
        /// an admin ended all `sessions` sessions of somebody externally authenticated, to erase them; `customer` is who
        /// Outcome: `ok`
        EraseCustomer = "erase_customer",
        /// an admin ran the cleanup
        /// Outcome: `ok`
        Cleanup = "cleanup",
        /// an admin made a service key
        /// Outcome: `ok`
        CreateServiceKey = "create_service_key",
        /// an admin revoked a service key, also one that was revoked before
        /// Outcome: `ok`
        RevokeServiceKey = "revoke_service_key",
        /// an admin read the last page of a failed step at a portal
        /// Outcome: `ok`
        ReadPortalPage = "read_portal_page",
        /// a service read an upstream token, or the account said why there is none
        /// Outcome: `ok`, or the code
        ReadToken = "read_token",
        /// a good token was to be got, by whatever the provider has for it
        /// Outcome: `ok`, or the code
        RenewToken = "renew_token",
        /// a token from scratch
        /// Outcome: `ok`, or the code
        ObtainToken = "obtain_token",
        /// a new token, although the held one may have been good
        /// Outcome: `ok`, or the code
        RefreshToken = "refresh_token",
        /// the upstream was asked whether it accepts the held token
        /// Outcome: `ok`, or the code
        CheckToken = "check_token",
        /// a token was brought, by a caller or the webhook
        /// Outcome: `ok`, or the code
        UpdateToken = "update_token",
        /// an authorization code was changed for a token
        /// Outcome: `ok`, or the code
        ExchangeCode = "exchange_code",
        /// the owner was asked to approve a token
        /// Outcome: `approval_pending`, or the code
        RequestToken = "request_token",
        /// `POST /get_session` with well-formed fields; `session_id` is the portal session's
        /// Outcome: `ok`, or the code
        GetPortalSession = "get_portal_session",
        /// a login at a portal is over, whoever wanted it
        /// Outcome: `ok`, or the code
        PortalLogin = "portal_login",
        /// a keep-alive went wrong; one that goes well writes nothing
        /// Outcome: the code
        PortalKeepAlive = "portal_keep_alive",
        /// an operation at a portal is over; an appointment that [waits](portal.md#going-on-with-one) for more is `ok`
        /// Outcome: `ok`, or the code
        PortalOperation = "portal_operation",
        /// a logout at a portal was tried
        /// Outcome: `ok`, or the code
        PortalLogout = "portal_logout",
        /// a portal session ended; `reason` says [how](portal.md#ends)
        /// Outcome: `ok`
        PortalClose = "portal_close",
        /// a session's alarm ended it; `reason` is `inactivity` or `lifetime`. It has no request, so no `request_id`, `actor` or
        /// `address`
        /// Outcome: `ok`
        Expire = "expire",
    }
}
