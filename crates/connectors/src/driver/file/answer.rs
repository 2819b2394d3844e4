//! Answers and faults of the `file` driver.

use http::{HeaderValue, Response, StatusCode, header};
use rustix::io::Errno;
use serde_json::{Value, json};

use crate::engine::{Body, full_body};

/// Why a request failed, in the terms of HTTP.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    message: &'static str,
    /// With 416: how long the file is.
    size: Option<u64>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message, size: None }
    }

    /// A range that lies outside of a file of `size` bytes.
    pub(super) fn outside(size: u64) -> Self {
        let message = "the range lies outside of the file";
        Self { size: Some(size), ..Self::new(StatusCode::RANGE_NOT_SATISFIABLE, message) }
    }

    pub(super) fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such file or folder")
    }

    pub(super) fn exists() -> Self {
        Self::new(StatusCode::CONFLICT, "something of this name is already there")
    }

    pub(super) fn response(&self) -> Response<Body> {
        let mut response = reply(&json!({"message": self.message}));
        *response.status_mut() = self.status;
        if let Some(range) = self.size.and_then(|size| HeaderValue::try_from(format!("bytes */{size}")).ok())
        {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        response
    }
}

impl From<Errno> for Fault {
    fn from(error: Errno) -> Self {
        match error {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Self::missing(),
            Errno::EXIST | Errno::NOTEMPTY | Errno::ISDIR => Self::exists(),
            Errno::ACCESS | Errno::PERM | Errno::ROFS => {
                Self::new(StatusCode::FORBIDDEN, "the operating system does not permit this")
            }
            Errno::NAMETOOLONG => Self::new(StatusCode::BAD_REQUEST, "path: a name is too long"),
            Errno::INVAL => Self::new(StatusCode::BAD_REQUEST, "path: a folder cannot be put into itself"),
            Errno::NOSPC | Errno::DQUOT => Self::new(StatusCode::INSUFFICIENT_STORAGE, "the disk is full"),
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the file system failed"),
        }
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Errno::from_io_error(&error).map_or_else(
            || Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the file system failed"),
            Self::from,
        )
    }
}

pub(super) fn reply(value: &Value) -> Response<Body> {
    let mut response = Response::new(full_body(value.to_string()));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
