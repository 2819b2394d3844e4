//! Dates between ISO 8601, epoch seconds and HTTP's own form.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::string;
use crate::operators::kind;

/// RFC 3339 to seconds since 1970 UTC, rounded down.
pub(super) fn iso_to_epoch(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(parse_iso(string(input)?)?.unix_timestamp().into())
}

/// RFC 3339 with any offset and fraction to UTC with whole seconds, as the hub writes dates.
pub(super) fn iso_seconds(input: &Value, _: &[Value]) -> Result<Value, String> {
    format_iso(parse_iso(string(input)?)?.unix_timestamp())
}

/// Seconds since 1970 UTC to RFC 3339.
pub(super) fn epoch_to_iso(input: &Value, _: &[Value]) -> Result<Value, String> {
    format_iso(seconds(input)?)
}

pub(super) fn httpdate_to_epoch(input: &Value, _: &[Value]) -> Result<Value, String> {
    Ok(parse_http(string(input)?)?.into())
}

pub(super) fn httpdate_to_iso(input: &Value, _: &[Value]) -> Result<Value, String> {
    format_iso(parse_http(string(input)?)?)
}

pub(super) fn epoch_to_httpdate(input: &Value, _: &[Value]) -> Result<Value, String> {
    let seconds = u64::try_from(seconds(input)?).map_err(|_| "HTTP dates start in 1970".to_owned())?;
    // 253402300799 is the last second of the year 9999, where the form ends.
    let seconds = Some(seconds).filter(|seconds| *seconds <= 253_402_300_799);
    let moment = seconds.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    moment
        .map(|moment| httpdate::fmt_http_date(moment).into())
        .ok_or_else(|| "the date is too far away".to_owned())
}

fn parse_iso(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "the text is not an ISO 8601 date and time".to_owned())
}

fn format_iso(seconds: i64) -> Result<Value, String> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok().filter(|moment| moment.year() >= 0);
    let text = moment.and_then(|moment| moment.format(&Rfc3339).ok());
    text.map(Value::from).ok_or_else(|| "the date is too far away".to_owned())
}

fn parse_http(text: &str) -> Result<i64, String> {
    let moment = httpdate::parse_http_date(text).map_err(|_| "the text is not an HTTP date".to_owned())?;
    let since = moment.duration_since(UNIX_EPOCH).map_err(|_| "HTTP dates start in 1970".to_owned())?;
    i64::try_from(since.as_secs()).map_err(|_| "the date is too far away".to_owned())
}

fn seconds(input: &Value) -> Result<i64, String> {
    let whole = input.as_i64().or_else(|| input.as_f64().map(|seconds| seconds.floor() as i64));
    whole.ok_or_else(|| format!("needs a number of seconds, not {}", kind(input)))
}
