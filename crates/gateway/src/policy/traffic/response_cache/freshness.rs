//! What a response's own headers say about how long it is fresh (RFC 9111, as far as the originals go).

use http::HeaderMap;
use http::header::{CACHE_CONTROL, EXPIRES};
use pierhead_domain::EpochMillis;

/// `None`: it must not be cached. `Some(None)`: the headers say nothing. Of `s-maxage` (else `max-age`) and
/// `Expires` the lower wins.
pub(super) fn of(headers: &HeaderMap, now: EpochMillis) -> Option<Option<EpochMillis>> {
    let (mut shared, mut any) = (None, None);
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().unwrap_or_default().split(',') {
            let (name, seconds) = directive.trim().split_once('=').unwrap_or((directive.trim(), ""));
            let seconds = || seconds.trim_matches('"').parse::<u32>().ok();
            match name.to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" | "private" => return None,
                "s-maxage" => shared = seconds(),
                "max-age" => any = seconds(),
                _ => {}
            }
        }
    }
    let age = shared.or(any).map(|seconds| now.plus(std::time::Duration::from_secs(seconds.into())));
    let expires = headers.get(EXPIRES).map(|value| {
        // What is no date is in the past.
        let moment = value.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
        let since = moment.and_then(|moment| moment.duration_since(std::time::UNIX_EPOCH).ok());
        EpochMillis::new(since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0))
    });
    Some(match (age, expires) {
        (Some(age), Some(expires)) => Some(age.min(expires)),
        (age, expires) => age.or(expires),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(lines: &[(http::HeaderName, &str)]) -> Option<Option<i64>> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        // 2017-06-06T18:54:51Z
        let now = EpochMillis::new(1_496_775_291_000);
        of(&headers, now).map(|fresh| fresh.map(|fresh| (fresh.as_i64() - now.as_i64()) / 1000))
    }

    #[test]
    fn the_lowest_of_what_the_headers_say_wins() {
        assert_eq!(seconds(&[]), Some(None));
        assert_eq!(seconds(&[(CACHE_CONTROL, "public, max-age=60")]), Some(Some(60)));
        assert_eq!(seconds(&[(CACHE_CONTROL, "max-age=60, s-maxage=600")]), Some(Some(600)));
        let expires = (EXPIRES, "Tue, 06 Jun 2017 18:55:01 GMT");
        assert_eq!(seconds(std::slice::from_ref(&expires)), Some(Some(10)));
        assert_eq!(seconds(&[expires, (CACHE_CONTROL, "s-maxage=60")]), Some(Some(10)));
        assert!(seconds(&[(EXPIRES, "0")]).flatten().is_some_and(|fresh| fresh < 0));
    }

    #[test]
    fn what_must_not_be_cached_is_not() {
        for directive in ["no-store", "Private", "no-cache", "max-age=60, no-store"] {
            assert_eq!(seconds(&[(CACHE_CONTROL, directive)]), None, "{directive}");
        }
    }
}
