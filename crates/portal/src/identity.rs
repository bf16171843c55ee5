//! Which login: the portal and a keyed hash of the credentials, so that the same credentials find the same session, and
//! nobody who reads the names can try passwords against them.

use super::driver::Credentials;
use base::vault::Vault;

/// What the hash is for, apart from all others under the same key.
const PURPOSE: &str = "portal-login";

/// The names of the object of these credentials, `portal/hash`: by the first sealing key, then by the others, because a
/// session that was begun before a rotation goes on under its old name.
pub fn names(vault: &Vault, portal: &str, credentials: &Credentials) -> Vec<String> {
    let (username, password) = (&credentials.username, credentials.password.expose());
    // With its length before it, so that no other pair of username and password makes the same text.
    let value = format!("{portal}:{}:{username}:{password}", username.len());
    vault.names(PURPOSE, &value).into_iter().map(|hash| format!("{portal}/{hash}")).collect()
}

/// The portal of a name.
pub fn portal(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::vault;
    use base::secret::Secret;

    fn credentials(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.to_owned(),
            password: Secret::new(password),
            captcha_api_key: Secret::new("ck"),
            totp_secret: None,
        }
    }

    fn name(username: &str, password: &str) -> String {
        names(&vault(&["s1"]), "emodal", &credentials(username, password)).remove(0)
    }

    #[test]
    fn the_same_credentials_have_the_same_name_and_others_have_others() {
        let one = name("driver", "pass");
        assert_eq!(one, name("driver", "pass"));
        assert!(one.starts_with("emodal/") && one.len() == "emodal/".len() + 43, "{one}");
        assert_eq!(portal(&one), "emodal");
        for (username, password) in [
            ("driver", "pass2"),
            ("Driver", "pass"),
            ("driverp", "ass"),
            ("drive", "rpass"),
            ("driver:", "pass"),
        ] {
            assert_ne!(one, name(username, password), "{username}");
        }
        assert_ne!(one, names(&vault(&["s1"]), "other", &credentials("driver", "pass")).remove(0));
    }

    #[test]
    fn a_rotation_leaves_the_old_name_findable() {
        let old = name("driver", "pass");
        let both = names(&vault(&["s2", "s1"]), "emodal", &credentials("driver", "pass"));
        assert_eq!(both.len(), 2);
        assert_eq!(both.last(), Some(&old));
        assert_ne!(both.first(), Some(&old));
    }
}
