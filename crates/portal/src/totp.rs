//! One-time passwords by time (RFC 6238), as authenticator apps make them: SHA-1, six digits, a new one every 30 seconds.

use super::code::{Code, Failure};
use super::driver::{Credentials, Visit};
use base::clock::Timestamp;
use base::secret::Secret;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::time::Duration;

/// How long a password is one, in seconds (RFC 6238 §5.2).
const STEP_SECONDS: u64 = 30;
/// One with less time left may be over when it comes to be checked.
const LEFT_MIN_SECONDS: u64 = 4;
/// Shorter keys are guessed: RFC 4226 §4 asks for 128 bits, and what people are given has 80 at times.
const KEY_BYTES_MIN: usize = 10;
const KEY_BYTES_MAX: usize = 256;

/// The passwords of one login.
pub struct Passwords {
    key: Vec<u8>,
    /// The window of the one that was given last. It works once (RFC 6238 §5.2).
    given: Option<u64>,
}

impl Passwords {
    /// Of a key in Base32 (RFC 4648 §6), in either case, with or without spaces and padding. `None` if it is none.
    pub fn new(secret: &Secret) -> Option<Self> {
        let key = base32(secret.expose())?;
        let fits = (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len());
        fits.then_some(Self { key, given: None })
    }

    /// The next one. Waits for the next window rather than give the same one twice, or one that is about to be over.
    pub async fn next(&mut self, visit: &Visit<'_>) -> Result<Secret, Failure> {
        let wait = wait(visit.net.now(), self.given);
        if !wait.is_zero() {
            if visit.left(wait)? < wait {
                return Err(Failure::new(Code::OutOfTime));
            }
            visit.net.wait(wait).await;
        }
        let window = visit.net.now().seconds() / STEP_SECONDS;
        self.given = Some(window);
        Ok(Secret::new(password(&self.key, window)))
    }
}

/// The one of a login that asks for one.
pub async fn one_time_password(visit: &Visit<'_>, credentials: &Credentials) -> Result<Secret, Failure> {
    let asked = "The portal asks for a one-time password, and no totp_secret was given";
    let passwords = credentials.totp_secret.as_ref().and_then(Passwords::new);
    let mut passwords = passwords.ok_or_else(|| Failure::with_message(Code::NeedsHuman, asked))?;
    passwords.next(visit).await
}

/// It counts as the credentials being refused: the next one may lock somebody out.
pub fn code_refused(status: u16) -> Failure {
    let said = "The portal refuses the one-time password";
    Failure { status: Some(status), ..Failure::with_message(Code::CredentialsRefused, said) }
}

/// How long until a password can be given.
fn wait(now: Timestamp, given: Option<u64>) -> Duration {
    let (seconds, millis) = (now.seconds(), now.millis());
    let window = seconds / STEP_SECONDS;
    let next = window.saturating_add(1).saturating_mul(STEP_SECONDS);
    let is_usable = given != Some(window) && next.saturating_sub(seconds) >= LEFT_MIN_SECONDS;
    let wait = next.saturating_mul(1_000).saturating_sub(millis);
    if is_usable { Duration::ZERO } else { Duration::from_millis(wait) }
}

/// HOTP (RFC 4226 §5.3) of a window's number.
fn password(key: &[u8], window: u64) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return String::new() };
    mac.update(&window.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last().copied().unwrap_or_default() & 15);
    let four = hash.iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0_u32);
    let digits = text.bytes().filter(|b| !matches!(b, b' ' | b'-'));
    let mut padded = false;
    for digit in digits {
        let value = match digit.to_ascii_uppercase() {
            b'=' => {
                padded = true;
                continue;
            }
            letter @ b'A'..=b'Z' => letter - b'A',
            figure @ b'2'..=b'7' => figure - b'2' + 26,
            _ => return None,
        };
        if padded {
            return None;
        }
        bits = ((bits << 5) | u32::from(value)) & 0xfff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{World, now, page};

    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn passwords_are_those_of_the_rfc() {
        let key = base32(RFC).unwrap();
        assert_eq!(key, b"12345678901234567890");
        // RFC 6238 appendix B has eight digits: the last six are the same.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(password(&key, seconds / STEP_SECONDS), expected, "{seconds}");
        }
        // RFC 4226 appendix D.
        let expected = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583"];
        for (counter, expected) in (0_u64..).zip(expected) {
            assert_eq!(password(&key, counter), expected);
        }
    }

    #[test]
    fn a_key_is_read_as_people_are_given_it() {
        let key = |text: &str| Passwords::new(&Secret::new(text)).map(|passwords| passwords.key);
        let ten = key("JBSWY3DPEHPK3PXP").unwrap();
        assert_eq!(ten, b"Hello!\xde\xad\xbe\xef");
        for text in ["jbsw y3dp ehpk 3pxp", "JBSWY3DP-EHPK3PXP", "JBSWY3DPEHPK3PXP======"] {
            assert_eq!(key(text).as_ref(), Some(&ten), "{text}");
        }
        let none =
            ["", "JBSWY3DP", "JBSWY3DPEHPK3PX1", "JBSWY3DP=EHPK3PXP", "JBSWY3DPEHPK3PXé", "otpauth://totp/x"];
        for text in none {
            assert_eq!(key(text), None, "{text}");
        }
        assert!(key(&"A".repeat(409)).is_some() && key(&"A".repeat(412)).is_none());
    }

    #[test]
    fn none_is_given_twice_or_in_its_last_seconds() {
        let world = World::new(|_| page(200, ""));
        let visit = world.visit(300);
        let mut passwords = Passwords::new(&Secret::new(RFC)).unwrap();
        let mut next = |at: u64| {
            world.now.set(Timestamp::from_millis(at));
            let password = now(passwords.next(&visit)).unwrap();
            (password.expose().to_owned(), world.now.get().millis())
        };
        // When it is asked for, which one it is, and when it is given.
        let windows = base32(RFC).unwrap();
        for (at, window, given) in [
            (1_790_000_000_500, 59_666_666, 1_790_000_000_500),
            (1_790_000_001_000, 59_666_667, 1_790_000_010_000),
            (1_790_000_065_999, 59_666_668, 1_790_000_065_999),
            (1_790_000_097_000, 59_666_670, 1_790_000_100_000),
            (1_790_000_126_999, 59_666_671, 1_790_000_130_000),
        ] {
            assert_eq!(next(at), (password(&windows, window), given), "{at}");
        }
    }

    #[test]
    fn nobody_waits_longer_than_there_is_time() {
        let world = World::new(|_| page(200, ""));
        let mut passwords = Passwords::new(&Secret::new(RFC)).unwrap();
        let visit = world.visit(5);
        now(passwords.next(&visit)).unwrap();
        assert_eq!(now(passwords.next(&visit)).unwrap_err().code, Code::OutOfTime);
    }
}
