//! A cookie jar of bounded size. Knows nothing of requests.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use cookie_store::{CookieStore, RawCookie};
use http::HeaderMap;
use http::HeaderValue;
use http::header::SET_COOKIE;
use parking_lot::Mutex;
use url::Url;

/// Cookies kept.
const MAX_COOKIES: usize = 100;
/// Largest cookie with its attributes, in bytes.
const MAX_SIZE: usize = 4096;

/// The cookies of one session.
#[derive(Default)]
pub(super) struct Jar {
    store: Mutex<CookieStore>,
    /// Spares the requests of sessions without cookies every look into the store.
    filled: AtomicBool,
}

impl Jar {
    pub(super) fn is_empty(&self) -> bool {
        !self.filled.load(Relaxed)
    }

    /// The `cookie` header for this URL, if any cookie belongs there.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let store = self.store.lock();
        let mut line = String::new();
        for (name, value) in store.get_request_values(url) {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(name);
            line.push('=');
            line.push_str(value);
        }
        drop(store);
        if line.is_empty() {
            return None;
        }
        HeaderValue::try_from(line).ok()
    }

    /// Stores what a response from this URL sets. As in a browser, what is not valid or
    /// does not fit is left out.
    pub(super) fn store(&self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            if let Ok(cookie) = value.to_str() {
                let _ = self.set(url, cookie);
            }
        }
    }

    /// Stores a cookie as if this URL had set it; the error says why not.
    pub(super) fn set(&self, url: &Url, cookie: &str) -> Result<(), String> {
        if cookie.len() > MAX_SIZE {
            return Err(format!("a cookie has at most {MAX_SIZE} bytes"));
        }
        if cookie.contains(char::is_control) {
            return Err("a cookie has no control characters".to_owned());
        }
        let raw = RawCookie::parse(cookie.to_owned())
            .map_err(|error| format!("not a cookie: {error}"))?;
        let mut store = self.store.lock();
        make_room(&mut store, url, &raw)?;
        store
            .insert_raw(&raw, url)
            .map_err(|error| format!("the cookie does not belong to this URL: {error}"))?;
        self.filled.store(true, Relaxed);
        Ok(())
    }

    /// Name and value of the cookies that a request to this URL would carry.
    pub(super) fn list(&self, url: &Url) -> Vec<(String, String)> {
        self.store
            .lock()
            .get_request_values(url)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    pub(super) fn clear(&self) {
        self.store.lock().clear();
        self.filled.store(false, Relaxed);
    }
}

/// Refuses a new cookie in a full jar, but never the replacement of an old one.
fn make_room(store: &mut CookieStore, url: &Url, new: &RawCookie<'_>) -> Result<(), String> {
    if store.iter_any().count() < MAX_COOKIES {
        return Ok(());
    }
    let expired: Vec<_> = store
        .iter_any()
        .filter(|cookie| cookie.is_expired())
        .map(|cookie| {
            let domain: String = (&cookie.domain).into();
            (domain, String::from(&cookie.path), cookie.name().to_owned())
        })
        .collect();
    for (domain, path, name) in expired {
        store.remove(&domain, &path, &name);
    }
    let replaces = store
        .matches(url)
        .iter()
        .any(|cookie| cookie.name() == new.name());
    if replaces || store.iter_any().count() < MAX_COOKIES {
        return Ok(());
    }
    Err(format!("the session has {MAX_COOKIES} cookies already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let jar = Jar::default();
        assert!(jar.is_empty());
        jar.set(&url("http://a.test/shop/"), "sid=1; Path=/shop")
            .unwrap();
        jar.set(&url("http://a.test/"), "theme=dark; Secure")
            .unwrap_or(());
        assert_eq!(
            jar.list(&url("http://a.test/shop/x")),
            [("sid".into(), "1".into())]
        );
        assert_eq!(jar.header(&url("http://a.test/other")), None);
        assert_eq!(jar.header(&url("http://b.test/shop/")), None);
        assert!(
            jar.set(&url("http://a.test/"), "x=1; Domain=b.test")
                .is_err()
        );
        jar.clear();
        assert!(jar.is_empty());
    }

    #[test]
    fn a_hostile_server_cannot_fill_the_memory() {
        let jar = Jar::default();
        let site = url("http://a.test/");
        for n in 0..MAX_COOKIES {
            jar.set(&site, &format!("c{n}=v")).unwrap();
        }
        assert!(jar.set(&site, "one-more=v").is_err());
        jar.set(&site, "c3=new").unwrap();
        assert!(
            jar.set(&site, &format!("c1={}", "x".repeat(MAX_SIZE)))
                .is_err()
        );
        jar.set(&site, "c4=; Max-Age=0").unwrap();
        jar.set(&site, "one-more=v").unwrap();
        assert_eq!(jar.list(&site).len(), MAX_COOKIES);
    }

    #[test]
    fn a_cookie_cannot_smuggle_a_header() {
        let jar = Jar::default();
        assert!(jar.set(&url("http://a.test/"), "a=b\r\nx: y").is_err());
    }
}
