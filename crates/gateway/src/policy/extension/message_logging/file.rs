//! `File`: lines in a file of this machine, as the originals' private cloud writes them (Unsourced: its defaults).

use std::sync::Arc;

use crate::logging::{LogDestination, LogFile, Rotation};
use crate::policy::blueprint::Blueprint;
use crate::policy::element::Element;

/// The file is `<organization>/<environment>/<proxy>/<policy>/<FileName>` below the folder of logs; revisions write
/// to the same. `None` after reporting what is wrong with it.
pub(super) fn read<'d>(policy: &mut Blueprint<'d>, element: &'d Element) -> Option<LogDestination> {
    policy.only(element, &[], &["Message", "FileName", "FileRotationOptions"]);
    let rotation = match element.child("FileRotationOptions") {
        Some(options) => rotation(policy, options),
        None => Rotation::default(),
    };
    let Some(name) = element.child("FileName").filter(|name| !name.text().is_empty()) else {
        policy.problem(element, "FileNameIsMissing", "File needs a FileName");
        return None;
    };
    let running = policy.running;
    let parts = [running.organization(), running.environment(), &policy.proxy, &policy.name, name.text()];
    let Some(file) = LogFile::new(&parts, rotation) else {
        let message = format!("'{}' is no plain name of a file", name.text());
        policy.problem(name, "InvalidFileName", message);
        return None;
    };
    let Some(folder) = &policy.world.log_folder else {
        policy.degrade(element, "no folder for log files is configured");
        return None;
    };
    Some(LogDestination::File { folder: folder.clone(), file: Arc::new(file) })
}

fn rotation<'d>(policy: &mut Blueprint<'d>, options: &'d Element) -> Rotation {
    const RULE: &str = "InvalidFileRotation";
    policy.only(
        options,
        &["rotateFileOnStartup"],
        &["FileRotationType", "MaxFileSizeInMB", "MaxFilesToRetain", "RotationFrequency"],
    );
    let mut rotation = Rotation {
        at_start: policy.flag(options, "rotateFileOnStartup", false),
        bytes: None,
        millis: None,
        ..Rotation::default()
    };
    if let Some(kept) = number(policy, options, "MaxFilesToRetain") {
        rotation.kept = u32::try_from(kept).unwrap_or(u32::MAX);
    }
    let kind = options.child("FileRotationType").map_or("", Element::text).to_ascii_uppercase();
    let (by_size, by_time) = match kind.as_str() {
        "SIZE" => (true, false),
        "TIME" => (false, true),
        "TIME_SIZE" => (true, true),
        "" => (options.child("MaxFileSizeInMB").is_some(), options.child("RotationFrequency").is_some()),
        other => {
            policy.problem(options, RULE, format!("'{other}' is none of SIZE, TIME and TIME_SIZE"));
            return rotation;
        }
    };
    if by_size {
        match number(policy, options, "MaxFileSizeInMB") {
            Some(megabytes @ 1..) => rotation.bytes = Some(megabytes.saturating_mul(1024 * 1024)),
            _ => policy.problem(options, RULE, "rotation by size needs a MaxFileSizeInMB of 1 or more"),
        }
    }
    if by_time {
        rotation.millis = frequency(policy, options);
        if rotation.millis.is_none() {
            let message = "rotation by time needs a RotationFrequency of 1 or more minutes, hours or days";
            policy.problem(options, RULE, message);
        }
    }
    if !by_size && !by_time {
        // Nothing is said of when: a disk must not fill all the same.
        rotation.bytes = Rotation::default().bytes;
    }
    rotation
}

/// Milliseconds; minutes without a unit.
fn frequency<'d>(policy: &mut Blueprint<'d>, options: &'d Element) -> Option<i64> {
    let element = options.child("RotationFrequency")?;
    policy.only(element, &["unit"], &[]);
    let unit = element.attribute("unit").map_or("minute", str::trim).to_ascii_lowercase();
    let minutes: i64 = match unit.trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return None,
    };
    let count: i64 = element.text().parse().ok().filter(|count| *count > 0)?;
    count.checked_mul(minutes * 60_000)
}

fn number<'d>(policy: &mut Blueprint<'d>, options: &'d Element, name: &str) -> Option<u64> {
    let element = options.child(name).filter(|element| !element.text().is_empty())?;
    let number = element.text().parse().ok();
    if number.is_none() {
        policy.problem(element, "InvalidFileRotation", format!("{name} is a whole number"));
    }
    number
}
